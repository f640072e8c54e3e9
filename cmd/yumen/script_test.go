package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	apiv1 "github.com/yumen-project/yumen/gateway/api/v1"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"yumen": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			for _, one := range os.Environ() {
				if name, _, _ := strings.Cut(one, "="); strings.HasPrefix(name, "YUMEN_") {
					env.Setenv(name, "") // of the machine, not of the test
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": exitStatus, "mode": fileMode, "subst": subst, "jsonkeys": jsonKeys, "ca": makeCA,
		},
	})
}

// exitStatus CODE COMMAND ... requires the exit status.
func exitStatus(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// fileMode MODE FILE requires the permissions of a file, in octal.
func fileMode(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if info.Mode().Perm() != fs.FileMode(want) {
		ts.Fatalf("%s has mode %o", args[1], info.Mode().Perm())
	}
}

// subst FILE WORD WITH replaces WORD by the trimmed content of the file WITH.
func subst(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	with := strings.TrimSpace(ts.ReadFile(args[2]))
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not hold %s", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], with)), 0o600))
}

// jsonKeys FILE KEY... requires one JSON object with exactly these keys, none empty.
func jsonKeys(ts *testscript.TestScript, _ bool, args []string) {
	var got map[string]string
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &got))
	if len(got) != len(args)-1 {
		ts.Fatalf("%d keys", len(got))
	}
	for _, key := range args[1:] {
		if got[key] == "" {
			ts.Fatalf("no %s", key)
		}
	}
}

// makeCA FILE writes a certificate that signs itself, PEM.
func makeCA(ts *testscript.TestScript, _ bool, args []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
}

func TestExitCodes(t *testing.T) {
	refusal, err := status.New(codes.PermissionDenied, "refused").WithDetails(&apiv1.Refusal{Rule: "suspended"})
	require.NoError(t, err)
	for want, errs := range map[int][]error{
		1: {errors.New("x"), status.Error(codes.Unavailable, "x"), status.Error(codes.PermissionDenied, "no detail")},
		2: {usageError{errors.New("x")}, errors.Join(errors.New("y"), usageError{errors.New("x")})},
		3: {refusal.Err()},
	} {
		for _, err := range errs {
			require.Equal(t, want, exitCode(err), "%v", err)
		}
	}
}
