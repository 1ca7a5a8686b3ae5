// Package parent ends a plugin whose engine is gone.
package parent

import (
	"os"
	"time"
)

const poll = time.Second

// Watch ends this process soon after its parent has ended. An engine that is killed cannot end its plugins, and their
// own look at its health is every five minutes.
func Watch() {
	engine := os.Getppid()
	go func() {
		for os.Getppid() == engine {
			time.Sleep(poll)
		}
		os.Exit(1)
	}()
}
