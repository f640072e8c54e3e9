// Package alarms watches how parties ask, and says when the way of asking looks like misuse.
//
// It sees who asked, under which scenario, and the outcome's class; never a subject, never an answer
// beyond found or not, matched or not. An alarm never refuses by itself: what it leads to (a log entry,
// a metric, a suspension) is its caller's business.
//
// Protected: enumeration, guessing of identities and unusual use are noticed within their windows.
// Not protected: a patient party that stays below every threshold; quotas bound what it gains.
package alarms
