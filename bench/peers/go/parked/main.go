// Memory of a goroutine that waits on a channel. parked COUNT
package main

import (
	"bench/measure"
	"runtime"
	"sync"
)

func main() {
	count := measure.Argument(1, 1000000)
	runtime.GOMAXPROCS(1)
	event := make(chan struct{})
	var all sync.WaitGroup
	all.Add(count)
	before := measure.MemoryBytes()
	for i := 0; i < count; i++ {
		go func() {
			<-event
			all.Done()
		}()
	}
	runtime.Gosched() // one turn for each of them: now all wait
	measure.Print("parked", (measure.MemoryBytes()-before)/float64(count))
	close(event)
	all.Wait()
}
