// Package baseline holds SkyNet's rivals: one file per policy, each built from
// what its documentation or its history says it does, mistakes included. They
// run in the same simulator, behind the same guard, on the same weather.
package baseline
