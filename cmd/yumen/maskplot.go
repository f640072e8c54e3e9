package main

import (
	"bytes"
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"

	"github.com/yumen-project/yumen/masking/risk"
)

// plottable says whether a file name ends in a form that is drawn; the empty name draws nothing.
func plottable(name string) error {
	if ext := filepath.Ext(name); name != "" && ext != ".png" && ext != ".svg" {
		return usageError{errors.New("plot: want FILE.png or FILE.svg")}
	}
	return nil
}

const (
	plotWidth  = 20 * vg.Centimeter
	plotHeight = 11 * vg.Centimeter
	barWidth   = 0.7 * vg.Centimeter
)

// plotSizes draws how many records lie in classes of which size. Classes below five are dark.
func plotSizes(name string, f *risk.Figures) error {
	p := plot.New()
	p.Title.Text = fmt.Sprintf("%d records in %d classes, k = %d", f.Rows, f.Classes, f.K)
	p.X.Label.Text, p.Y.Label.Text = "records of a class", "records"
	p.Y.Min = 0
	labels := make([]string, len(f.Histogram))
	small, large := make(plotter.Values, len(f.Histogram)), make(plotter.Values, len(f.Histogram))
	for i, b := range f.Histogram {
		labels[i] = fmt.Sprintf("%d-%d", b.From, b.To)
		if b.From == b.To {
			labels[i] = fmt.Sprint(b.From)
		}
		if b.From < 5 {
			small[i] = float64(b.Records)
		} else {
			large[i] = float64(b.Records)
		}
	}
	for _, part := range []struct {
		values plotter.Values
		colour color.Color
	}{{small, color.RGBA{R: 178, G: 34, B: 34, A: 255}}, {large, color.RGBA{R: 70, G: 110, B: 150, A: 255}}} {
		if len(part.values) == 0 {
			continue
		}
		bars, err := plotter.NewBarChart(part.values, barWidth)
		if err != nil {
			return errors.New("plot: cannot be drawn")
		}
		bars.Color, bars.LineStyle.Width = part.colour, 0
		p.Add(bars)
	}
	if len(labels) > 0 {
		p.NominalX(labels...)
	}
	drawn, err := p.WriterTo(plotWidth, plotHeight, filepath.Ext(name)[1:])
	if err != nil {
		return errors.New("plot: cannot be drawn")
	}
	var out bytes.Buffer
	if _, err := drawn.WriteTo(&out); err != nil {
		return errors.New("plot: cannot be drawn")
	}
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		return errors.New("plot: file not writable")
	}
	return nil
}
