package remote

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// Endpoint is one ssh server and how to log in to it: the target, or the proxy before it.
type Endpoint struct {
	Host               string   `pulumi:"host"`
	User               *string  `pulumi:"user,optional"`
	Port               *float64 `pulumi:"port,optional"`
	Password           *string  `pulumi:"password,optional"`
	PrivateKey         *string  `pulumi:"privateKey,optional"`
	PrivateKeyPassword *string  `pulumi:"privateKeyPassword,optional"`
	AgentSocketPath    *string  `pulumi:"agentSocketPath,optional"`
	HostKey            *string  `pulumi:"hostKey,optional"`
	DialErrorLimit     *int     `pulumi:"dialErrorLimit,optional"`
	PerDialTimeout     *int     `pulumi:"perDialTimeout,optional"`
}

// Annotate gives the defaults: 10 errors and 15 seconds, root at port 22.
func (e *Endpoint) Annotate(a infer.Annotator) {
	a.SetDefault(&e.User, "root")
	a.SetDefault(&e.Port, 22)
	a.SetDefault(&e.DialErrorLimit, 10)
	a.SetDefault(&e.PerDialTimeout, 15)
}

// ProxyConnection is the jump host's endpoint. It is a type of its own because the SDK has it so.
type ProxyConnection struct{ Endpoint }

// Connection is the target's endpoint, and the way there.
type Connection struct {
	Endpoint
	Proxy *ProxyConnection `pulumi:"proxy,optional"`
}

func (e Endpoint) address() string {
	return net.JoinHostPort(e.Host, strconv.Itoa(int(*e.Port)))
}

func (e Endpoint) timeout() time.Duration {
	return time.Duration(*e.PerDialTimeout) * time.Second
}

// clientConfig returns how to log in, and a function that lets go of the agent.
func (e Endpoint) clientConfig() (*ssh.ClientConfig, func(), error) {
	config := &ssh.ClientConfig{User: *e.User, HostKeyCallback: ssh.InsecureIgnoreHostKey()}
	if e.HostKey != nil {
		if err := pin(config, *e.HostKey); err != nil {
			return nil, nil, err
		}
	}
	if e.PrivateKey != nil {
		signer, err := e.signer()
		if err != nil {
			return nil, nil, fmt.Errorf("privateKey of %s: %w", e.Host, err)
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if e.Password != nil {
		config.Auth = append(config.Auth, ssh.Password(*e.Password), ssh.KeyboardInteractive(e.answer))
	}
	method, release, err := e.agent(len(config.Auth) > 0)
	if err != nil {
		return nil, nil, err
	}
	if method != nil {
		config.Auth = append(config.Auth, method)
	}
	if len(config.Auth) == 0 {
		return nil, nil, fmt.Errorf("no way to log in to %s: give privateKey, password or an ssh agent", e.Host)
	}
	return config, release, nil
}

// pin accepts one host key, given as a line of a .pub file.
func pin(config *ssh.ClientConfig, line string) error {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return fmt.Errorf("hostKey is not a line of a .pub file: %w", err)
	}
	config.HostKeyCallback = ssh.FixedHostKey(key)
	// Without this a server with several keys may show another one than that which is pinned.
	config.HostKeyAlgorithms = []string{key.Type()}
	if key.Type() == ssh.KeyAlgoRSA {
		config.HostKeyAlgorithms = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return nil
}

func (e Endpoint) signer() (ssh.Signer, error) {
	if e.PrivateKeyPassword != nil {
		return ssh.ParsePrivateKeyWithPassphrase([]byte(*e.PrivateKey), []byte(*e.PrivateKeyPassword))
	}
	return ssh.ParsePrivateKey([]byte(*e.PrivateKey))
}

func (e Endpoint) answer(_, _ string, questions []string, _ []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range questions {
		answers[i] = *e.Password
	}
	return answers, nil
}

// agent asks the agent at agentSocketPath, or else at SSH_AUTH_SOCK. The latter may be stale: that matters only when
// there is no other way to log in.
func (e Endpoint) agent(otherWay bool) (ssh.AuthMethod, func(), error) {
	path := os.Getenv("SSH_AUTH_SOCK")
	if e.AgentSocketPath != nil {
		path = *e.AgentSocketPath
	}
	if path == "" {
		return nil, func() {}, nil
	}
	socket, err := net.Dial("unix", path)
	if err != nil {
		if otherWay && e.AgentSocketPath == nil {
			return nil, func() {}, nil
		}
		return nil, nil, errors.Join(errors.New("no ssh agent answers"), err)
	}
	release := func() { _ = socket.Close() }
	return ssh.PublicKeysCallback(agent.NewClient(socket).Signers), release, nil
}
