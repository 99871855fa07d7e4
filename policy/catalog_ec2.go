package policy

// EC2in2008 returns the catalog "ec2-2008": the five Linux types of us-east in
// June 2008, billed by the hour. Prices: Amazon's list of 2008. Cores and
// compute units (ECU) per core: the list as confirmed by later tables; speed
// 1.0 is one ECU, the core of an m1.small. By price c1.xlarge, 2 m1.large and
// 8 m1.small are equal; by work they are 20, 8 and 8.
func EC2in2008() Catalog {
	return Catalog{
		Name:    "ec2-2008",
		Billing: Hourly,
		Source:  "Amazon EC2 price list, us-east, Linux, June 2008; speed in ECU per core",
		Types: []InstanceType{
			{Name: "m1.small", Cores: 1, Slots: 1, Speed: 1.0, PerHour: 100_000},
			{Name: "m1.large", Cores: 2, Slots: 2, Speed: 2.0, PerHour: 400_000},
			{Name: "m1.xlarge", Cores: 4, Slots: 4, Speed: 2.0, PerHour: 800_000},
			{Name: "c1.medium", Cores: 2, Slots: 2, Speed: 2.5, PerHour: 200_000},
			{Name: "c1.xlarge", Cores: 8, Slots: 8, Speed: 2.5, PerHour: 800_000},
		},
	}
}

// EC2in2026 returns the catalog "ec2-2026": compute-optimised and general
// types of us-east-1, Linux, billed by the second. Prices: on-demand list of
// 20 July 2026. Speed is an assumption in units of a 2008 ECU core
// (m1.small = 1): a hyper-thread of an x86 generation counts about 0.6 of a
// full core, and Graviton and *a types give a full core per vCPU. Measure your
// own with `skynet-worker bench` before spending money on the difference.
func EC2in2026() Catalog {
	c := Catalog{
		Name:    "ec2-2026",
		Billing: PerSecond,
		Source:  "EC2 on-demand price list, us-east-1, Linux, 20 July 2026; speeds assumed",
	}
	for _, family := range []struct {
		name  string
		speed float64  // per vCPU, m1.small core = 1
		large MicroUSD // price of the large (2 vCPU); other sizes scale exactly
	}{
		{"c5", 5.0, 85_000},
		{"c6i", 5.5, 85_000},
		{"c6a", 5.5, 76_500},
		{"c7i", 6.0, 89_250},
		{"c7a", 10.0, 102_640},
		{"c7g", 8.0, 72_500},
		{"c8g", 10.0, 79_760},
		{"c8i", 6.5, 93_710},
		{"c9g", 11.5, 86_940},
		{"m7g", 8.0, 81_600},
		{"m7i", 6.0, 100_800},
	} {
		for _, size := range []struct {
			name  string
			vcpus int
		}{{"large", 2}, {"xlarge", 4}, {"2xlarge", 8}, {"4xlarge", 16}} {
			c.Types = append(c.Types, InstanceType{
				Name: family.name + "." + size.name, Cores: size.vcpus, Slots: size.vcpus,
				Speed: family.speed, PerHour: family.large * MicroUSD(size.vcpus/2),
			})
		}
	}
	return c
}
