// A goroutine for each sleep. timers COUNT [warm]
package main

import (
	"bench/measure"
	"os"
	"runtime"
	"sync"
	"time"
)

func sleepAll(count int) {
	random := measure.Random(1)
	var all sync.WaitGroup
	all.Add(count)
	for i := 0; i < count; i++ {
		go func(duration time.Duration) {
			time.Sleep(duration)
			all.Done()
		}(time.Duration(random.Milliseconds()) * time.Millisecond)
	}
	all.Wait()
}

func main() {
	count := measure.Argument(1, 100000)
	runtime.GOMAXPROCS(1)
	started := measure.CPUSeconds()
	if len(os.Args) > 2 {
		sleepAll(count)
		started = measure.CPUSeconds()
	}
	sleepAll(count)
	measure.Print("timers", measure.CPUSeconds()-started)
}
