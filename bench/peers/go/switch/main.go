// Two goroutines that yield to each other on one processor. switch SWITCHES
package main

import (
	"bench/measure"
	"runtime"
	"sync"
	"time"
)

func main() {
	switches := measure.Argument(1, 4000000)
	runtime.GOMAXPROCS(1)
	var both sync.WaitGroup
	both.Add(2)
	started := time.Now()
	for i := 0; i < 2; i++ {
		go func() {
			defer both.Done()
			for n := 0; n < switches/2; n++ {
				runtime.Gosched()
			}
		}()
	}
	both.Wait()
	measure.Print("switch", float64(time.Since(started).Nanoseconds())/float64(switches))
}
