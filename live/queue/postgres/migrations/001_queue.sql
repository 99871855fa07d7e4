create table skynet.leader (
	one   boolean primary key default true check (one),
	epoch bigint not null
);
insert into skynet.leader (epoch) values (0);

-- Apart from leader, because it changes twice a second: every commit reads the
-- row of leader, and must not have to pass by what became of it.
create table skynet.leader_beat (
	one    boolean primary key default true check (one),
	holder text not null,
	until  timestamptz not null
);
insert into skynet.leader_beat (holder, until) values ('', '-infinity');

create table skynet.batch (
	epoch   bigint not null,
	number  bigint not null,
	next_id bigint not null,
	primary key (epoch, number)
);

-- Jobs that have not ended. A job that a hand_out has stays as it was before.
-- NULL stands for what is not known, or usual.
create table skynet.job (
	id              bigint primary key,
	type            text not null,
	priority        smallint not null,
	tenant          text,
	"group"         text,
	key             text, -- idempotency, with the tenant
	concurrency_key text,
	created_ns      bigint not null,
	arrival_ns      bigint not null,
	due_ns          bigint, -- of a delayed job
	estimate_ns     bigint,
	promise_ns      bigint,
	max_run_ns      bigint,
	attempts_max    integer,
	bytes_in        bigint,
	args            bytea,
	state           smallint,      -- NULL: waiting
	token           bigint,
	attempts        integer,
	failures        integer,
	losses          integer,
	flags           smallint,      -- 1: to be cancelled
	ended_by        smallint,
	error           text,
	cold            boolean        -- NULL: in the leader's memory
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create unique index job_key on skynet.job (key) where key is not null;
create index job_cold on skynet.job (priority, arrival_ns, id) where cold;

create table skynet.hand_out (
	id     bigint primary key,
	worker text not null,
	packed bytea not null
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

create table skynet.key (
	key      text primary key,
	job      bigint not null,
	until_ns bigint not null
);

create table skynet.fact (
	kind  text not null,
	key   text not null,
	value bytea not null,
	primary key (kind, key)
);

create table skynet.minute (
	at_ns           bigint not null,
	type            text not null,
	priority        smallint not null,
	arrived         bigint not null,
	arrived_work_ns bigint not null,
	completed       bigint not null,
	failed          bigint not null,
	retried         bigint not null,
	lost            bigint not null,
	cancelled       bigint not null,
	wait_ns         bigint not null,
	service_ns      bigint not null,
	service_square  double precision not null,
	primary key (at_ns, type, priority)
);

-- Jobs that ended, a partition for each day on which they did.
create table skynet.history (
	id            bigint not null,
	type          text not null,
	priority      smallint not null,
	tenant        text,
	"group"       text,
	state         smallint not null, -- 6: done, 7: cancelled
	attempts      integer not null,
	failures      integer,
	losses        integer,
	token         bigint not null,
	created_ns    bigint not null,
	arrival_ns    bigint not null,
	started_ns    bigint,
	finished_ns   bigint not null,
	run_ns        bigint,
	cpu_ns        bigint,
	estimate_ns   bigint,
	promise_ns    bigint,
	bytes_in      bigint,
	bytes_out     bigint,
	peak_memory_bytes bigint,
	worker        text,
	instance      text,
	instance_type text,
	boot          text,
	error         text,
	result        text
) partition by range (finished_ns);
create index history_finished on skynet.history using brin (finished_ns) with (pages_per_range = 32);
create index history_id on skynet.history using brin (id) with (pages_per_range = 32);

-- What people look at.
create view skynet.jobs as
	select id, type, priority, tenant, "group",
		case coalesce(state, 1) when 1 then 'waiting' when 2 then 'delayed' when 4 then 'dead' when 5 then 'quarantined' else 'unknown' end as state,
		to_timestamp(created_ns / 1e9) as created_at, to_timestamp(arrival_ns / 1e9) as arrived_at, to_timestamp(due_ns / 1e9) as due_at,
		attempts, failures, losses, error, convert_from(args, 'utf8') as args
	from skynet.job;
create view skynet.finished as
	select id, type, priority, tenant, "group", case state when 6 then 'done' else 'cancelled' end as state, attempts,
		to_timestamp(created_ns / 1e9) as created_at, to_timestamp(arrival_ns / 1e9) as arrived_at,
		to_timestamp(started_ns / 1e9) as started_at, to_timestamp(finished_ns / 1e9) as finished_at,
		run_ns / 1e9 as run_s, cpu_ns / 1e9 as cpu_s, estimate_ns / 1e9 as estimate_s, bytes_in, bytes_out,
		worker, instance, instance_type, boot, error, result
	from skynet.history;

---- create above / drop below ----

drop view skynet.finished, skynet.jobs;
drop table skynet.leader, skynet.leader_beat, skynet.batch, skynet.job, skynet.hand_out, skynet.key, skynet.fact, skynet.minute, skynet.history;
