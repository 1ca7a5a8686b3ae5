package remote

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"idr/toolchain/internal/command/output"
)

// server is an ssh server on loopback that takes one key, passes connections on, and runs three words: `cat`
// (stdin to stdout), `fail` (exit status 3 after 30 lines) and `hang`.
type server struct {
	port    float64
	hostKey string
}

func newSigner(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, string(pem.EncodeToMemory(block))
}

func startServer(t *testing.T, user ssh.PublicKey) server {
	t.Helper()
	host, _ := newSigner(t)
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if string(key.Marshal()) != string(user.Marshal()) {
				return nil, fmt.Errorf("another key")
			}
			return &ssh.Permissions{}, nil
		},
	}
	config.AddHostKey(host)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			stream, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(stream, config)
		}
	}()
	port := listener.Addr().(*net.TCPAddr).Port
	return server{port: float64(port), hostKey: string(ssh.MarshalAuthorizedKey(host.PublicKey()))}
}

func serve(stream net.Conn, config *ssh.ServerConfig) {
	_, channels, requests, err := ssh.NewServerConn(stream, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for asked := range channels {
		if asked.ChannelType() == "direct-tcpip" {
			go forward(asked)
			continue
		}
		channel, requests, _ := asked.Accept()
		go runWord(channel, requests)
	}
}

func forward(asked ssh.NewChannel) {
	var target struct {
		Host     string
		Port     uint32
		FromHost string
		FromPort uint32
	}
	_ = ssh.Unmarshal(asked.ExtraData(), &target)
	onward, err := net.Dial("tcp", net.JoinHostPort(target.Host, strconv.Itoa(int(target.Port))))
	if err != nil {
		_ = asked.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	channel, requests, _ := asked.Accept()
	go ssh.DiscardRequests(requests)
	go func() { _, _ = io.Copy(onward, channel); _ = onward.Close() }()
	_, _ = io.Copy(channel, onward)
	_ = channel.Close()
}

func runWord(channel ssh.Channel, requests <-chan *ssh.Request) {
	for request := range requests {
		_ = request.Reply(request.Type == "exec", nil)
		if request.Type != "exec" {
			continue
		}
		status := uint32(0)
		switch string(request.Payload[4:]) {
		case "cat":
			_, _ = io.Copy(channel, channel)
		case "fail":
			for line := range 30 {
				_, _ = fmt.Fprintf(channel.Stderr(), "line %d\n", line)
			}
			status = 3
		case "hang":
			continue
		}
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
		_ = channel.Close()
	}
}

func endpoint(at server, key string, limit int) Endpoint {
	user, timeout := "root", 5
	return Endpoint{
		Host: "127.0.0.1", Port: &at.port, User: &user, PrivateKey: &key, HostKey: &at.hostKey,
		DialErrorLimit: &limit, PerDialTimeout: &timeout,
	}
}

func setUp(t *testing.T) (proxy, target server, key string) {
	t.Helper()
	t.Setenv("SSH_AUTH_SOCK", "/nonexistent")
	signer, key := newSigner(t)
	return startServer(t, signer.PublicKey()), startServer(t, signer.PublicKey()), key
}

func TestRunsThroughProxyWithPinnedKeys(t *testing.T) {
	proxy, target, key := setUp(t)
	connection := Connection{endpoint(target, key, 0), &ProxyConnection{endpoint(proxy, key, 0)}}
	stdin := "from stdin\n"
	streams, err := run(context.Background(), "cat", Inputs{Connection: connection, Stdin: &stdin}, output.Streams{})
	if err != nil || streams.Stdout != "from stdin" {
		t.Fatalf("got %q, %v", streams.Stdout, err)
	}
}

func TestRefusesAnotherHostKey(t *testing.T) {
	other, target, key := setUp(t)
	target.hostKey = other.hostKey
	_, err := run(context.Background(), "cat", Inputs{Connection: Connection{endpoint(target, key, 1), nil}}, output.Streams{})
	if err == nil || !strings.Contains(err.Error(), "after 2 attempts") || !strings.Contains(err.Error(), "host key mismatch") {
		t.Fatalf("got %v", err)
	}
}

func TestFailureShowsStatusAndLastLinesButNoSecret(t *testing.T) {
	_, target, key := setUp(t)
	stdin := "the secret"
	inputs := Inputs{Connection: Connection{endpoint(target, key, 0), nil}, Stdin: &stdin}
	_, err := run(context.Background(), "fail", inputs, output.Streams{})
	if err == nil {
		t.Fatal("no error")
	}
	for _, wanted := range []string{"status 3", `"fail"`, "line 10\n", "line 29"} {
		if !strings.Contains(err.Error(), wanted) {
			t.Errorf("%q is missing in: %v", wanted, err)
		}
	}
	for _, unwanted := range []string{"line 9\n", stdin} {
		if strings.Contains(err.Error(), unwanted) {
			t.Errorf("%q is in: %v", unwanted, err)
		}
	}
}

func TestCancelEndsARunningCommand(t *testing.T) {
	_, target, key := setUp(t)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := run(ctx, "hang", Inputs{Connection: Connection{endpoint(target, key, 0), nil}}, output.Streams{})
	if err == nil || time.Since(start) > 3*time.Second {
		t.Fatalf("got %v after %s", err, time.Since(start))
	}
}
