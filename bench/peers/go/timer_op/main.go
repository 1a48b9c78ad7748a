// Starts and stops a timer beside others that are live. timer_op LIVE OPERATIONS
package main

import (
	"bench/measure"
	"runtime"
	"time"
)

func main() {
	live := measure.Argument(1, 100)
	operations := measure.Argument(2, 1000000)
	runtime.GOMAXPROCS(1)
	random := measure.Random(1)
	duration := func() time.Duration {
		return time.Minute + time.Duration(random.Milliseconds())*time.Millisecond
	}
	for i := 0; i < live; i++ {
		time.AfterFunc(duration(), func() {})
	}
	started := time.Now()
	for i := 0; i < operations; i++ {
		time.AfterFunc(duration(), func() {}).Stop()
	}
	measure.Print("timer_op", float64(time.Since(started).Nanoseconds())/float64(operations))
}
