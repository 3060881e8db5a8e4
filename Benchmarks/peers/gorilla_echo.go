// gorilla/websocket: echoes, or sends each message to everybody.
//
//	gorilla_echo PORT echo|broadcast [CERTIFICATE KEY]
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/gorilla/websocket"
)

var upgrader = websocket.Upgrader{
	ReadBufferSize:  4096,
	WriteBufferSize: 4096,
	// Connections that say nothing share their write buffers.
	WriteBufferPool: &sync.Pool{},
	CheckOrigin:     func(*http.Request) bool { return true },
}

// Who is there, each with the lock that gorilla wants around writes.
var guests = struct {
	sync.Mutex
	sockets map[*websocket.Conn]struct{}
}{sockets: map[*websocket.Conn]struct{}{}}

func echo(socket *websocket.Conn) {
	for {
		kind, message, err := socket.ReadMessage()
		if err != nil || socket.WriteMessage(kind, message) != nil {
			return
		}
	}
}

func broadcast(socket *websocket.Conn) {
	guests.Lock()
	guests.sockets[socket] = struct{}{}
	guests.Unlock()
	defer func() {
		guests.Lock()
		delete(guests.sockets, socket)
		guests.Unlock()
	}()
	for {
		kind, message, err := socket.ReadMessage()
		if err != nil {
			return
		}
		prepared, err := websocket.NewPreparedMessage(kind, message)
		if err != nil {
			return
		}
		guests.Lock()
		for guest := range guests.sockets {
			guest.WritePreparedMessage(prepared)
		}
		guests.Unlock()
	}
}

func main() {
	talk := echo
	if os.Args[2] == "broadcast" {
		talk = broadcast
	}
	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		socket, err := upgrader.Upgrade(writer, request, nil)
		if err != nil {
			return
		}
		defer socket.Close()
		talk(socket)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening on", listener.Addr())
	if len(os.Args) == 5 {
		err = http.ServeTLS(listener, handler, os.Args[3], os.Args[4])
	} else {
		err = http.Serve(listener, handler)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
