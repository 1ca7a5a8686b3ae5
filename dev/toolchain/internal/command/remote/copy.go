package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pkg/sftp"
	provider "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// CopyToRemote is the resource command:remote:CopyToRemote.
type CopyToRemote struct{}

// CopyInputs are those of pulumi_command.remote.CopyToRemote.
type CopyInputs struct {
	Connection Connection           `pulumi:"connection" provider:"secret"`
	Source     types.AssetOrArchive `pulumi:"source"`
	RemotePath string               `pulumi:"remotePath"`
	Triggers   *[]any               `pulumi:"triggers,optional" provider:"replaceOnChanges"`
}

// CopyState is what the engine keeps of a copy: its inputs.
type CopyState struct{ CopyInputs }

func (i CopyInputs) hash() string {
	if i.Source.Asset != nil {
		return i.Source.Asset.Hash
	}
	return i.Source.Archive.Hash
}

// Check refuses sources that are neither text nor a path.
func (CopyToRemote) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[CopyInputs], error) {
	inputs, failures, err := infer.DefaultCheck[CopyInputs](ctx, req.NewInputs)
	asset, archive := inputs.Source.Asset, inputs.Source.Archive
	path := archive != nil && archive.IsPath() || asset != nil && (asset.IsPath() || asset.IsText())
	if source, given := req.NewInputs.GetOk("source"); err == nil && given && !source.IsComputed() && !path {
		failures = append(failures, provider.CheckFailure{
			Property: "source", Reason: "must be a FileAsset, a StringAsset or a FileArchive",
		})
	}
	return infer.CheckResponse[CopyInputs]{Inputs: inputs, Failures: failures}, err
}

// Create copies the source.
func (CopyToRemote) Create(
	ctx context.Context, req infer.CreateRequest[CopyInputs],
) (infer.CreateResponse[CopyState], error) {
	id, err := resource.NewUniqueHex("", 8, 0)
	if err == nil && !req.DryRun {
		err = req.Inputs.copy(ctx)
	}
	return infer.CreateResponse[CopyState]{ID: id, Output: CopyState{req.Inputs}}, err
}

// Update copies again when content or destination changed: a new connection alone moves no file.
func (CopyToRemote) Update(
	ctx context.Context, req infer.UpdateRequest[CopyInputs, CopyState],
) (infer.UpdateResponse[CopyState], error) {
	var err error
	changed := req.Inputs.hash() != req.State.hash() || req.Inputs.RemotePath != req.State.RemotePath
	if changed && !req.DryRun {
		err = req.Inputs.copy(ctx)
	}
	return infer.UpdateResponse[CopyState]{Output: CopyState{req.Inputs}}, err
}

func (i CopyInputs) copy(ctx context.Context) error {
	client, err := i.Connection.dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	remote, err := sftp.NewClient(client)
	if err != nil {
		return fmt.Errorf("sftp on %s: %w", i.Connection.Host, err)
	}
	defer func() { _ = remote.Close() }()
	if err := remote.MkdirAll(path.Dir(i.RemotePath)); err != nil {
		return fmt.Errorf("creating the folder of %s: %w", i.RemotePath, err)
	}
	if i.Source.Asset != nil && i.Source.Asset.IsText() {
		return write(remote, strings.NewReader(i.Source.Asset.Text), i.RemotePath)
	}
	source := ""
	if i.Source.Asset != nil {
		source = i.Source.Asset.Path
	} else {
		source = i.Source.Archive.Path
	}
	return copyPath(remote, source, i.RemotePath)
}

// copyPath copies a file or a folder. An existing folder is copied into, not replaced; of a source that ends in a slash
// only the content is copied.
func copyPath(remote *sftp.Client, source, target string) error {
	about, err := os.Stat(source)
	if err != nil {
		return err
	}
	into, err := isFolder(remote, target)
	if err != nil {
		return err
	}
	if !about.IsDir() {
		if into {
			target = path.Join(target, filepath.Base(source))
		}
		return copyFile(remote, source, target)
	}
	if !strings.HasSuffix(source, "/") {
		target = path.Join(target, filepath.Base(source))
	}
	return filepath.WalkDir(source, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(source, file)
		if err != nil {
			return err
		}
		to := path.Join(target, filepath.ToSlash(relative))
		if !entry.IsDir() {
			return copyFile(remote, file, to)
		}
		if err := remote.MkdirAll(to); err != nil {
			return fmt.Errorf("creating the folder %s: %w", to, err)
		}
		return nil
	})
}

func isFolder(remote *sftp.Client, name string) (bool, error) {
	about, err := remote.Stat(name)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking at %s: %w", name, err)
	}
	return about.IsDir(), nil
}

func copyFile(remote *sftp.Client, source, target string) error {
	file, err := os.Open(source)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return write(remote, file, target)
}

func write(remote *sftp.Client, content io.Reader, target string) error {
	file, err := remote.Create(target)
	if err != nil {
		return fmt.Errorf("creating %s: %w", target, err)
	}
	_, err = file.ReadFrom(content)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", target, err)
	}
	return nil
}
