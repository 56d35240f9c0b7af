//go:build unix

package probe

import "syscall"

// descriptors returns how many this process may have open. Go raises that to what the system allows when a program begins.
func descriptors() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024
	}
	return uint64(limit.Cur) //nolint:unconvert // signed on some systems
}
