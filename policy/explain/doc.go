// Package explain answers questions about decisions that were made: why nothing
// was launched or terminated, and why a job waited. It is handed what a journal
// holds, and decides nothing.
package explain
