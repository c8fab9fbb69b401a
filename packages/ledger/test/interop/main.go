// Checks what a Casemate log shows with code that Casemate did not write: the note and tlog packages of Go's checksum
// database, and the proof package of transparency-dev. Usage: interop DIRECTORY, as interop.test.ts writes it.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

type proofs struct {
	Inclusion []struct {
		Index, Size int64
		Proof       []string
	}
	Consistency []struct {
		From, To int64
		Proof    []string
	}
}

type receipt struct {
	Entry      json.RawMessage
	Salt       []byte
	Index      int64
	Timestamp  string
	Inclusion  []string
	Checkpoint string
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir string) error {
	key, err := os.ReadFile(filepath.Join(dir, "key"))
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(string(key))
	if err != nil {
		return err
	}
	checkpoint, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(checkpoint, verifier)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	// Every hash that this reader gives was checked against the root of the checkpoint.
	hashes := tlog.TileHashReader(tree, &files{dir})
	if err := checkLeaves(dir, tree, hashes); err != nil {
		return fmt.Errorf("entry bundles: %w", err)
	}
	counts, err := checkProofs(dir, hashes)
	if err != nil {
		return fmt.Errorf("proofs: %w", err)
	}
	receipts, err := checkReceipts(dir, verifier)
	if err != nil {
		return fmt.Errorf("receipts: %w", err)
	}
	fmt.Printf("%d entries, %s, %d receipts\n", tree.N, counts, receipts)
	return nil
}

func openCheckpoint(signed []byte, verifier note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() || lines[3] != "" {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s: %q", verifier.Name(), opened.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// files serves tiles from a directory. The path is that of tlog without the height, as C2SP tlog-tiles has it.
type files struct{ dir string }

func (f *files) Height() int                         { return tileHeight }
func (f *files) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (f *files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		read, err := os.ReadFile(filepath.Join(f.dir, path))
		if err != nil {
			return nil, err
		}
		data[i] = read
	}
	return data, nil
}

func checkLeaves(dir string, tree tlog.Tree, hashes tlog.HashReader) error {
	for n := int64(0); n < tree.N; {
		width := min(tree.N-n, 1<<tileHeight)
		tile := tlog.Tile{H: tileHeight, L: -1, N: n >> tileHeight, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
		bundle, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			return err
		}
		want, err := hashes.ReadHashes(leafIndexes(n, width))
		if err != nil {
			return err
		}
		for _, hash := range want {
			size := int(binary.BigEndian.Uint16(bundle))
			if tlog.RecordHash(bundle[2:2+size]) != hash {
				return fmt.Errorf("leaf %d is not the one in the tree", n)
			}
			bundle = bundle[2+size:]
			n++
		}
		if len(bundle) != 0 {
			return fmt.Errorf("%s has %d bytes too many", path, len(bundle))
		}
	}
	return nil
}

func leafIndexes(first, count int64) []int64 {
	indexes := make([]int64, count)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
	}
	return indexes
}

func leafHash(hashes tlog.HashReader, n int64) (tlog.Hash, error) {
	read, err := hashes.ReadHashes(leafIndexes(n, 1))
	if err != nil {
		return tlog.Hash{}, err
	}
	return read[0], nil
}

func checkProofs(dir string, hashes tlog.HashReader) (string, error) {
	var all proofs
	if err := readJSON(filepath.Join(dir, "proofs.json"), &all); err != nil {
		return "", err
	}
	for _, p := range all.Inclusion {
		path, raw, err := decode(p.Proof)
		if err != nil {
			return "", err
		}
		leaf, err := leafHash(hashes, p.Index)
		if err != nil {
			return "", err
		}
		root, err := tlog.TreeHash(p.Size, hashes)
		if err != nil {
			return "", err
		}
		if err := tlog.CheckRecord(path, p.Size, root, p.Index, leaf); err != nil {
			return "", fmt.Errorf("inclusion of %d in %d: %w", p.Index, p.Size, err)
		}
		hasher := rfc6962.DefaultHasher
		if err := proof.VerifyInclusion(hasher, uint64(p.Index), uint64(p.Size), leaf[:], raw, root[:]); err != nil {
			return "", fmt.Errorf("inclusion of %d in %d: %w", p.Index, p.Size, err)
		}
	}
	for _, p := range all.Consistency {
		path, raw, err := decode(p.Proof)
		if err != nil {
			return "", err
		}
		from, err := tlog.TreeHash(p.From, hashes)
		if err != nil {
			return "", err
		}
		to, err := tlog.TreeHash(p.To, hashes)
		if err != nil {
			return "", err
		}
		if err := tlog.CheckTree(path, p.To, to, p.From, from); err != nil {
			return "", fmt.Errorf("consistency from %d to %d: %w", p.From, p.To, err)
		}
		hasher := rfc6962.DefaultHasher
		if err := proof.VerifyConsistency(hasher, uint64(p.From), uint64(p.To), raw, from[:], to[:]); err != nil {
			return "", fmt.Errorf("consistency from %d to %d: %w", p.From, p.To, err)
		}
	}
	return fmt.Sprintf("%d inclusion and %d consistency proofs", len(all.Inclusion), len(all.Consistency)), nil
}

// checkReceipts follows the format's description alone: commitment, leaf, proof, signed checkpoint.
func checkReceipts(dir string, verifier note.Verifier) (int, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "receipt-*.json"))
	if err != nil {
		return 0, err
	}
	for _, path := range paths {
		var r receipt
		if err := readJSON(path, &r); err != nil {
			return 0, err
		}
		tree, err := openCheckpoint([]byte(r.Checkpoint), verifier)
		if err != nil {
			return 0, err
		}
		leaf, err := leafOf(r)
		if err != nil {
			return 0, err
		}
		included, _, err := decode(r.Inclusion)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckRecord(included, tree.N, tree.Hash, r.Index, tlog.RecordHash(leaf)); err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
	}
	return len(paths), nil
}

func leafOf(r receipt) ([]byte, error) {
	at, err := time.Parse(time.RFC3339Nano, r.Timestamp)
	if err != nil {
		return nil, err
	}
	// The log writes an entry's members in canonical order, and these need no escapes.
	var entry bytes.Buffer
	if err := json.Compact(&entry, r.Entry); err != nil {
		return nil, err
	}
	commitment := sha256.New()
	commitment.Write([]byte("casemate ledger entry commitment v1\n"))
	for _, part := range [][]byte{r.Salt, entry.Bytes()} {
		commitment.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		commitment.Write(part)
	}
	leaf := binary.BigEndian.AppendUint64([]byte{1}, uint64(at.UnixMilli()))
	return commitment.Sum(leaf), nil
}

func decode(encoded []string) ([]tlog.Hash, [][]byte, error) {
	var hashes []tlog.Hash
	var raw [][]byte
	for _, each := range encoded {
		hash, err := base64.StdEncoding.DecodeString(each)
		if err != nil || len(hash) != sha256.Size {
			return nil, nil, fmt.Errorf("not a hash: %q", each)
		}
		hashes = append(hashes, tlog.Hash(hash))
		raw = append(raw, hash)
	}
	return hashes, raw, nil
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}
