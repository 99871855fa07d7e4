-- What every batch does beside its new rows. In a function, because a session
-- keeps the plans of one: there are no named statements, which a pooler would
-- have to bear, and planning each anew costs more than doing it.
--
-- It begins with the row of the leader, which is locked until the transaction
-- ends: nobody can take the lead in the midst of it, and an earlier leader finds
-- another epoch. If the leader or the last batch is not the one before this,
-- nothing is done, and the caller is told what was found.
create function skynet.write_batch(
	of_epoch bigint, of_number bigint, next_free bigint, removed bigint[],
	handed bigint[], handed_to text[], handed_what bytea[], returned bigint[], keep bigint,
	out epoch bigint, out number bigint, out gone bigint
) language plpgsql as $$
begin
	-- A leader that stands still cannot hold the transaction open, and nobody is
	-- waited for for long. Rows are found by their keys, whatever the planner
	-- believes about the tables' sizes.
	perform set_config('idle_in_transaction_session_timeout', '3s', true), set_config('lock_timeout', '5s', true),
		set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
		set_config('jit', 'off', true);
	select l.epoch into strict epoch from skynet.leader l for share;
	select coalesce(max(b.number), 0) into number from skynet.batch b where b.epoch = write_batch.epoch;
	gone := 0;
	if epoch <> of_epoch or number <> of_number - 1 then
		return;
	end if;
	if removed is not null then
		delete from skynet.job j where j.id = any (removed);
		get diagnostics gone = row_count;
	end if;
	if handed is not null then
		insert into skynet.hand_out (id, worker, packed) select * from unnest(handed, handed_to, handed_what);
	end if;
	if returned is not null then
		delete from skynet.hand_out h where h.id = any (returned);
	end if;
	if of_number % keep = 0 then
		delete from skynet.batch b where b.epoch = of_epoch and b.number <= of_number - keep;
	end if;
	insert into skynet.batch as b (epoch, number, next_id)
		select of_epoch, of_number, greatest(next_free, l.next_id) from skynet.batch l where l.epoch = of_epoch and l.number = of_number - 1;
end
$$;

---- create above / drop below ----

drop function skynet.write_batch;
