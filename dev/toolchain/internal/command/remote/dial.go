package remote

import (
	"context"
	"fmt"
	"net"
	"time"

	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/retry"
	"golang.org/x/crypto/ssh"
)

const (
	keepaliveEvery   = 15 * time.Second
	keepaliveTimeout = 60 * time.Second
)

// dialer opens a byte stream to an address: over the network, or through a proxy.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// dial connects to the target, through the proxy if there is one. The client closes when ctx is cancelled, and when the
// server no longer answers: a machine that is switched off would otherwise hold a command for ever.
func (c Connection) dial(ctx context.Context) (*ssh.Client, error) {
	if c.Proxy == nil {
		return c.dialBy(ctx, (&net.Dialer{}).DialContext)
	}
	proxy, err := c.Proxy.dialBy(ctx, (&net.Dialer{}).DialContext)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	client, err := c.dialBy(ctx, proxy.DialContext)
	if err != nil {
		_ = proxy.Close()
		return nil, err
	}
	go func() {
		_ = client.Wait()
		_ = proxy.Close()
	}()
	return client, nil
}

// dialBy tries until the server lets us in, with growing pauses, or until more attempts than dialErrorLimit have
// failed (-1: no limit). Errors of any kind are tried again: a machine that boots may well refuse a login at first.
func (e Endpoint) dialBy(ctx context.Context, open dialer) (*ssh.Client, error) {
	var last error
	ok, client, err := retry.Until(ctx, retry.Acceptor{Accept: func(try int, _ time.Duration) (bool, any, error) {
		client, err := e.attempt(ctx, open)
		if err == nil {
			return true, client, nil
		}
		last = err
		limit := *e.DialErrorLimit
		if limit >= 0 && try+1 > limit {
			return true, nil, fmt.Errorf("no connection to %s after %d attempts: %w", e.address(), try+1, err)
		}
		provider.GetLogger(ctx).InfoStatusf("connecting to %s: attempt %d failed: %v", e.address(), try+1, err)
		return false, nil, nil
	}})
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("connecting to %s: %w (last error: %v)", e.address(), context.Cause(ctx), last)
	}
	return client.(*ssh.Client), nil
}

// attempt connects and logs in once, within perDialTimeout (0: no limit).
func (e Endpoint) attempt(ctx context.Context, open dialer) (*ssh.Client, error) {
	config, release, err := e.clientConfig()
	if err != nil {
		return nil, err
	}
	defer release()
	limited, cancel := ctx, context.CancelFunc(func() {})
	if e.timeout() > 0 {
		limited, cancel = context.WithTimeout(ctx, e.timeout())
	}
	defer cancel()
	stream, err := open(limited, "tcp", e.address())
	if err != nil {
		return nil, err
	}
	// The stream through a proxy has no deadlines, so the handshake is limited by closing it.
	stop := context.AfterFunc(limited, func() { _ = stream.Close() })
	conn, channels, requests, err := ssh.NewClientConn(stream, e.address(), config)
	if !stop() && err == nil {
		err = limited.Err()
	}
	if err != nil {
		_ = stream.Close()
		if limited.Err() != nil {
			return nil, fmt.Errorf("no login within %s: %w", e.timeout(), limited.Err())
		}
		return nil, err
	}
	client := ssh.NewClient(conn, channels, requests)
	context.AfterFunc(ctx, func() { _ = client.Close() })
	go keepAlive(client)
	return client, nil
}

// keepAlive closes a client whose server does not answer, and ends with the client.
func keepAlive(client *ssh.Client) {
	for {
		time.Sleep(keepaliveEvery)
		giveUp := time.AfterFunc(keepaliveTimeout, func() { _ = client.Close() })
		_, _, err := client.SendRequest("keepalive@openssh.com", true, nil)
		giveUp.Stop()
		if err != nil {
			return
		}
	}
}
