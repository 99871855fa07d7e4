package bound

import "github.com/skynet-ec2/skynet/policy/detmath"

// tenTo returns 10^x.
func tenTo(x float64) float64 { return detmath.Exp(x * 2.302585092994046) }
