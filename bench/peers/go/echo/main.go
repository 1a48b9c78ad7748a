// A goroutine for each connection. Prints its port, serves until it is ended.
package main

import (
	"fmt"
	"net"
)

func answer(connection net.Conn) {
	defer connection.Close()
	bytes := make([]byte, 2048)
	for {
		size, err := connection.Read(bytes)
		if err != nil {
			return
		}
		if _, err := connection.Write(bytes[:size]); err != nil {
			return
		}
	}
}

func main() {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go answer(connection)
	}
}
