// Package measure is what the Go programs share: clocks, memory, arguments and the result line.
package measure

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// CPUSeconds is the user and system time of this process, all threads.
func CPUSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

// MemoryBytes is what the kernel counts: resident pages and the page tables that map them.
func MemoryBytes() float64 {
	status, err := os.Open("/proc/self/status")
	if err != nil {
		panic(err)
	}
	defer status.Close()
	kilobytes := 0.0
	for lines := bufio.NewScanner(status); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if fields[0] == "VmRSS:" || fields[0] == "VmPTE:" {
			value, _ := strconv.ParseFloat(fields[1], 64)
			kilobytes += value
		}
	}
	return kilobytes * 1024
}

// Argument is the index-th argument as a count, or what to use without it.
func Argument(index, otherwise int) int {
	if len(os.Args) <= index {
		return otherwise
	}
	value, err := strconv.Atoi(os.Args[index])
	if err != nil {
		panic(err)
	}
	return value
}

// Random gives the sleeps of the timers program: the same 1..1000 in every language. Start it with 1.
type Random uint32

// Milliseconds is the next of the sequence.
func (r *Random) Milliseconds() int {
	*r ^= *r << 13
	*r ^= *r >> 17
	*r ^= *r << 5
	return int(*r%1000) + 1
}

// Print writes the result line.
func Print(name string, value float64) {
	fmt.Printf("%s %.9g\n", name, value)
}
