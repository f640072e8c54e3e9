package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// metrics counts calls by method and outcome; no label ever names a subject.
type metrics struct {
	registry *prometheus.Registry
	seconds  *prometheus.HistogramVec
	http     *prometheus.HistogramVec
	alarms   *prometheus.CounterVec
	queries  *prometheus.CounterVec // of encrypted data, by state reached
	attack   *prometheus.GaugeVec
	observe  map[string]prometheus.Observer // successful calls, resolved once
}

func newMetrics(methods []string) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), observe: map[string]prometheus.Observer{}}
	m.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "yumen_call_seconds", Help: "Duration of calls by method and status code.", Buckets: buckets(),
	}, []string{"method", "code"})
	m.http = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "yumen_http_seconds", Help: "Duration of REST calls by method and status code.", Buckets: buckets(),
	}, []string{"method", "code"})
	m.alarms = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yumen_alarms_total", Help: "Alarms by rule."}, []string{"rule"})
	m.attack = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "yumen_reconstruction_columns", Help: "Columns by outcome of the newest reconstruction attack on the dataset's released tables.",
	}, []string{"dataset", "outcome"})
	m.queries = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "yumen_encrypted_queries_total", Help: "Queries of encrypted data by state reached."}, []string{"state"})
	m.registry.MustRegister(m.queries, m.alarms, m.attack, m.seconds, m.http, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, name := range methods {
		m.observe[name] = m.seconds.WithLabelValues(name, codes.OK.String())
	}
	return m
}

// attacked takes the outcome of an attack on a dataset's tables.
func (m *metrics) attacked(dataset string, outcomes map[string]int) {
	for outcome, n := range outcomes {
		m.attack.WithLabelValues(dataset, outcome).Set(float64(n))
	}
}

func buckets() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 30}
}

func (m *metrics) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	began := time.Now()
	out, err := next(ctx, req)
	took := time.Since(began).Seconds()
	if o := m.observe[info.FullMethod]; o != nil && err == nil {
		o.Observe(took)
		return out, nil
	}
	m.seconds.WithLabelValues(info.FullMethod, status.Code(err).String()).Observe(took)
	return out, err
}

func (m *metrics) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	began := time.Now()
	err := next(srv, stream)
	m.seconds.WithLabelValues(info.FullMethod, status.Code(err).String()).Observe(time.Since(began).Seconds())
	return err
}
