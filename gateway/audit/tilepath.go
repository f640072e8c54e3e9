package audit

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	bundleLevel = -1 // stands for tile/entries
	bundleEntry = 2 + EntrySize
	fullTile    = tileWidth * HashSize
	fullBundle  = tileWidth * bundleEntry
)

// tilePath is the path of C2SP tlog-tiles below the public directory, with
// slashes: tile/L/N or tile/entries/N, and .p/W behind for a partial one.
func tilePath(level int, index uint64, width int) string {
	n := fmt.Sprintf("%03d", index%1000)
	for index >= 1000 {
		index /= 1000
		n = fmt.Sprintf("x%03d/%s", index%1000, n)
	}
	l := "entries"
	if level != bundleLevel {
		l = strconv.Itoa(level)
	}
	if width < tileWidth {
		n += fmt.Sprintf(".p/%d", width)
	}
	return "tile/" + l + "/" + n
}

// parseTilePath is the strict inverse of tilePath.
func parseTilePath(path string) (level int, index uint64, width int, ok bool) {
	parts := strings.Split(path, "/")
	if len(parts) < 3 || len(parts) > 12 || parts[0] != "tile" {
		return 0, 0, 0, false
	}
	level = bundleLevel
	if parts[1] != "entries" {
		l, err := strconv.ParseUint(parts[1], 10, 6)
		if err != nil {
			return 0, 0, 0, false
		}
		level = int(l)
	}
	width = tileWidth
	digits := parts[2:]
	if n := len(digits); n >= 2 && strings.HasSuffix(digits[n-2], ".p") {
		w, err := strconv.ParseUint(digits[n-1], 10, 8)
		if err != nil || w == 0 {
			return 0, 0, 0, false
		}
		width = int(w)
		digits = append(append([]string(nil), digits[:n-2]...), strings.TrimSuffix(digits[n-2], ".p"))
	}
	for _, d := range digits {
		v, err := strconv.ParseUint(strings.TrimPrefix(d, "x"), 10, 16)
		if err != nil || index > maxTreeSize {
			return 0, 0, 0, false
		}
		index = index*1000 + v
	}
	return level, index, width, tilePath(level, index, width) == path
}

// expected tells whether a log of the given size has a tile there, and exactly
// this wide.
func expected(size uint64, level int, index uint64, width int) bool {
	l := max(level, 0)
	if l*tileHeight >= 64 {
		return false
	}
	n := size >> (tileHeight * l)
	switch {
	case index < n>>tileHeight:
		return width == tileWidth
	case index == n>>tileHeight:
		return width != tileWidth && uint64(width) == n&(tileWidth-1)
	}
	return false
}

// appendBundle encodes an entry as bundles have it: its length, then itself.
func appendBundle(dst, entry []byte) []byte {
	dst = append(dst, 0, byte(len(entry)))
	return append(dst, entry...)
}

func publicFile(root string, level int, index uint64, width int) string {
	return filepath.Join(root, filepath.FromSlash(tilePath(level, index, width)))
}
