// Waves of 1,000 empty goroutines, each wave waited for. spawn_join WAVES
package main

import (
	"bench/measure"
	"runtime"
	"sync"
	"time"
)

const wave = 1000

func runWave() {
	var all sync.WaitGroup
	all.Add(wave)
	for i := 0; i < wave; i++ {
		go all.Done()
	}
	all.Wait()
}

func main() {
	waves := measure.Argument(1, 2000)
	runtime.GOMAXPROCS(1)
	runWave()
	started := time.Now()
	for i := 0; i < waves; i++ {
		runWave()
	}
	measure.Print("spawn_join", float64(time.Since(started).Nanoseconds())/float64(waves*wave))
}
