// Says of Dockerfiles which images BuildKit pulls for them, by BuildKit's own conversion, without asking anybody: each line of
// standard input is a question, each line of standard output the answer to it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/appcontext"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

type question struct {
	Text           string            `json:"text"`
	BuildArguments map[string]string `json:"buildArguments"`
	Target         string            `json:"target"`
	TargetPlatform string            `json:"targetPlatform"`
	BuildPlatform  string            `json:"buildPlatform"`
}

type answer struct {
	// Each with its platform behind it.
	Images []string `json:"images"`
	Error  string   `json:"error,omitempty"`
}

// Every image exists and has a layer: BuildKit takes one without any for scratch.
type anything struct{}

func (anything) ResolveImageConfig(_ context.Context, ref string, opt sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	platform := platforms.DefaultSpec()
	if opt.ImageOpt != nil && opt.ImageOpt.Platform != nil {
		platform = *opt.ImageOpt.Platform
	}
	config, err := json.Marshal(ocispecs.Image{
		Platform: platform,
		RootFS:   ocispecs.RootFS{Type: "layers", DiffIDs: []digest.Digest{digest.FromString("layer")}},
	})
	return ref, "", config, err
}

func main() {
	if err := serve(appcontext.Context(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return err
		}
		images, err := pulledImages(ctx, asked)
		said := answer{Images: images}
		if err != nil {
			said.Error = err.Error()
		}
		if err := encoder.Encode(said); err != nil {
			return err
		}
	}
	return lines.Err()
}

func pulledImages(ctx context.Context, asked question) (images []string, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	target, err := platforms.Parse(asked.TargetPlatform)
	if err != nil {
		return nil, err
	}
	build, err := platforms.Parse(asked.BuildPlatform)
	if err != nil {
		return nil, err
	}
	caps := pb.Caps.CapSet(pb.Caps.All())
	result, err := dockerfile2llb.Dockerfile2LLB(ctx, []byte(asked.Text), dockerfile2llb.ConvertOpt{
		Config: dockerui.Config{
			BuildArgs:      asked.BuildArguments,
			Target:         asked.Target,
			BuildPlatforms: []ocispecs.Platform{build},
		},
		TargetPlatform: &target,
		MetaResolver:   anything{},
		LLBCaps:        &caps,
	})
	if err != nil {
		return nil, err
	}
	definition, err := result.State.Marshal(ctx, llb.WithCaps(caps))
	if err != nil {
		return nil, err
	}
	images = []string{}
	for _, bytes := range definition.Def {
		var op pb.Op
		if err := op.Unmarshal(bytes); err != nil {
			return nil, err
		}
		if image, found := strings.CutPrefix(op.GetSource().GetIdentifier(), "docker-image://"); found {
			platform := ocispecs.Platform{OS: op.Platform.OS, Architecture: op.Platform.Architecture, Variant: op.Platform.Variant}
			images = append(images, image+" "+platforms.Format(platforms.Normalize(platform)))
		}
	}
	slices.Sort(images)
	return slices.Compact(images), nil
}
