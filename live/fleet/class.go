package fleet

import "slices"

// Class is what an error of EC2 means to a controller, from the riskiest on.
type Class uint8

const (
	// Ambiguous: the call may have been carried out. Repeat it with the same token,
	// then look.
	Ambiguous Class = iota
	// Permanent: asking again will not help. Stop launching, tell somebody.
	Permanent
	// Quota: the account may not have more, of any type of the family.
	Quota
	// Capacity: EC2 has none of the type in the zone and market now. Take another.
	Capacity
	// Subnet: it has no address left. Take another subnet.
	Subnet
	// Throttled: the call was not carried out. Stop calling for a while.
	Throttled
	// None: no error.
	None
)

var classWords = [...]string{"ambiguous", "permanent", "quota", "capacity", "subnet", "throttled", "none"}

// String returns the word.
func (c Class) String() string { return classWords[c] }

// Why returns the word of policy.Refusal for a refusal of the class: only
// "capacity" says anything about the type.
func (c Class) Why() string {
	switch c {
	case Capacity, Subnet:
		return "capacity"
	case Quota:
		return "quota"
	case Throttled:
		return "throttled"
	}
	return "unavailable"
}

// codes of EC2 by class. What is not among them is permanent with a status below
// 500, and ambiguous from there on.
var codes = []struct {
	class Class
	codes []string
}{
	{Capacity, []string{
		"InsufficientInstanceCapacity", "UnfulfillableCapacity", "Unsupported", "InsufficientHostCapacity",
		"ReservationCapacityExceeded", "InsufficientReservedInstanceCapacity", "MaxFleetCountExceeded", "SpotMaxPriceTooLow",
		"InsufficientCapacity", "InsufficientCapacityOnOutpost",
	}},
	{Quota, []string{"VcpuLimitExceeded", "InstanceLimitExceeded", "MaxSpotInstanceCountExceeded", "SpotInstanceCountExceeded"}},
	{Subnet, []string{"InsufficientFreeAddressesInSubnet", "InsufficientAddressCapacity"}},
	{Throttled, []string{"RequestLimitExceeded", "Throttling", "ThrottlingException", "RequestThrottled", "TooManyRequestsException"}},
	{Ambiguous, []string{"InternalError", "InternalFailure", "Unavailable", "ServiceUnavailable", "RequestTimeout"}},
}

// ClassOf returns the class of an error of EC2 by its code and HTTP status.
func ClassOf(code string, status int) Class {
	for _, c := range codes {
		if slices.Contains(c.codes, code) {
			return c.class
		}
	}
	if code == "" || status >= 500 || status == 0 {
		return Ambiguous
	}
	return Permanent
}
