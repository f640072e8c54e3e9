// Package e2e holds the gateway as a whole against those who would get more out of it than they may:
// a server with its own log, keys and TLS is started for each subject, and asked over its own borders.
//
// The city of the tests is generated, so that every answer can be known without the gateway. Nothing
// here is personal data. Tests under the build tag "services" start and kill real processes.
package e2e
