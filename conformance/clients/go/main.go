// The AWS SDK for Go v2 as a program's author uses it: reads one JSON command a line, answers one JSON line
// (support/json-process.ts).
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

const (
	presignFor  = 5 * time.Minute
	deleteBatch = 1000
)

// One command, and all the parameters that any of them takes.
type command struct {
	Operation   string            `json:"operation"`
	Bucket      string            `json:"bucket"`
	Key         string            `json:"key"`
	To          string            `json:"to"`
	Prefix      string            `json:"prefix"`
	File        string            `json:"file"`
	Start       int64             `json:"start"`
	Length      int64             `json:"length"`
	ContentType *string           `json:"contentType"`
	Metadata    map[string]string `json:"metadata"`
}

type object struct {
	Key  string `json:"key"`
	Size int64  `json:"size"`
}

type session struct {
	client  *s3.Client
	presign *s3.PresignClient
}

// Endpoint, region, credentials and certificate authority come from the environment, as for any AWS program.
func main() {
	ctx := context.Background()
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	client := s3.NewFromConfig(loaded, func(options *s3.Options) { options.UsePathStyle = true })
	s := &session{client, s3.NewPresignClient(client, s3.WithPresignExpires(presignFor))}
	answers := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked command
		result, err := any(nil), json.Unmarshal(lines.Bytes(), &asked)
		if err == nil {
			result, err = s.run(ctx, asked)
		}
		if err != nil {
			_ = answers.Encode(map[string]string{"error": err.Error()})
		} else {
			_ = answers.Encode(map[string]any{"result": result})
		}
	}
}

func (s *session) run(ctx context.Context, c command) (any, error) {
	switch c.Operation {
	case "makeBucket":
		return s.makeBucket(ctx, c.Bucket)
	case "removeBucket":
		return s.client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &c.Bucket})
	case "buckets":
		return s.buckets(ctx)
	case "upload":
		return nil, s.upload(ctx, c)
	case "download":
		return nil, s.download(ctx, c)
	case "list":
		return s.list(ctx, c.Bucket, c.Prefix)
	case "copy":
		source := c.Bucket + "/" + url.PathEscape(c.Key)
		return s.client.CopyObject(ctx, &s3.CopyObjectInput{Bucket: &c.Bucket, Key: &c.To, CopySource: &source})
	case "remove":
		return s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &c.Bucket, Key: &c.Key})
	case "removeAll":
		return nil, s.removeAll(ctx, c.Bucket, c.Prefix)
	case "readRange":
		return s.readRange(ctx, c)
	case "describe":
		head, err := s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &c.Bucket, Key: &c.Key})
		if err != nil {
			return nil, err
		}
		return map[string]any{"contentType": aws.ToString(head.ContentType), "metadata": head.Metadata}, nil
	case "presignGet":
		signed, err := s.presign.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &c.Bucket, Key: &c.Key})
		if err != nil {
			return nil, err
		}
		return signed.URL, nil
	case "presignPut":
		signed, err := s.presign.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: &c.Bucket, Key: &c.Key})
		if err != nil {
			return nil, err
		}
		return signed.URL, nil
	case "checksums":
		return nil, s.checksums(ctx, c.Bucket)
	case "errors":
		return nil, s.errors(ctx, c.Bucket)
	default:
		return nil, fmt.Errorf("unknown operation %q", c.Operation)
	}
}

func (s *session) makeBucket(ctx context.Context, bucket string) (any, error) {
	if _, err := s.client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		return nil, err
	}
	return nil, s3.NewBucketExistsWaiter(s.client).Wait(ctx, &s3.HeadBucketInput{Bucket: &bucket}, time.Minute)
}

func (s *session) buckets(ctx context.Context) ([]string, error) {
	names := []string{}
	pages := s3.NewListBucketsPaginator(s.client, &s3.ListBucketsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, bucket := range page.Buckets {
			names = append(names, aws.ToString(bucket.Name))
		}
	}
	return names, nil
}

func (s *session) upload(ctx context.Context, c command) error {
	file, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	input := &s3.PutObjectInput{Bucket: &c.Bucket, Key: &c.Key, Body: file, ContentType: c.ContentType, Metadata: c.Metadata}
	_, err = manager.NewUploader(s.client).Upload(ctx, input)
	return err
}

func (s *session) download(ctx context.Context, c command) error {
	file, err := os.Create(c.File)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = manager.NewDownloader(s.client).Download(ctx, file, &s3.GetObjectInput{Bucket: &c.Bucket, Key: &c.Key})
	return err
}

func (s *session) list(ctx context.Context, bucket, prefix string) ([]object, error) {
	found := []object{}
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, entry := range page.Contents {
			found = append(found, object{aws.ToString(entry.Key), aws.ToInt64(entry.Size)})
		}
	}
	return found, nil
}

func (s *session) removeAll(ctx context.Context, bucket, prefix string) error {
	objects, err := s.list(ctx, bucket, prefix)
	if err != nil {
		return err
	}
	for start := 0; start < len(objects); start += deleteBatch {
		batch := []types.ObjectIdentifier{}
		for _, entry := range objects[start:min(start+deleteBatch, len(objects))] {
			batch = append(batch, types.ObjectIdentifier{Key: aws.String(entry.Key)})
		}
		answer, err := s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &bucket, Delete: &types.Delete{Objects: batch}})
		if err != nil {
			return err
		}
		if len(answer.Errors) > 0 {
			return fmt.Errorf("%s: %s", aws.ToString(answer.Errors[0].Key), aws.ToString(answer.Errors[0].Code))
		}
	}
	return nil
}

func (s *session) readRange(ctx context.Context, c command) (string, error) {
	wanted := fmt.Sprintf("bytes=%d-%d", c.Start, c.Start+c.Length-1)
	answer, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &c.Bucket, Key: &c.Key, Range: &wanted})
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	return hex.EncodeToString(content), err
}

// A stream that cannot be rewound goes up with each checksum in its trailer, and comes back verified by the SDK.
func (s *session) checksums(ctx context.Context, bucket string) error {
	for _, algorithm := range []types.ChecksumAlgorithm{
		types.ChecksumAlgorithmCrc32, types.ChecksumAlgorithmCrc32c, types.ChecksumAlgorithmCrc64nvme,
		types.ChecksumAlgorithmSha1, types.ChecksumAlgorithmSha256,
	} {
		key := aws.String("checksums/" + string(algorithm))
		_, err := manager.NewUploader(s.client).Upload(ctx, &s3.PutObjectInput{
			Bucket: &bucket, Key: key, Body: strings.NewReader("checked"), ChecksumAlgorithm: algorithm,
		})
		if err != nil {
			return fmt.Errorf("%s: %w", algorithm, err)
		}
		answer, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: key, ChecksumMode: types.ChecksumModeEnabled})
		if err != nil {
			return fmt.Errorf("%s: %w", algorithm, err)
		}
		content, err := io.ReadAll(answer.Body)
		if err != nil || string(content) != "checked" {
			return fmt.Errorf("%s: read %q, %v", algorithm, content, err)
		}
	}
	return nil
}

// The SDK turns the answers' codes into types.
func (s *session) errors(ctx context.Context, bucket string) error {
	_, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("nothing")})
	var noSuchKey *types.NoSuchKey
	if !errors.As(err, &noSuchKey) {
		return fmt.Errorf("GetObject of nothing: %v", err)
	}
	_, err = s.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: aws.String("nothing")})
	var notFound *types.NotFound
	if !errors.As(err, &notFound) {
		return fmt.Errorf("HeadObject of nothing: %v", err)
	}
	_, err = s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("no-such-bucket-anywhere")})
	var coded smithy.APIError
	if !errors.As(err, &coded) || coded.ErrorCode() != "NoSuchBucket" {
		return fmt.Errorf("ListObjectsV2 of nothing: %v", err)
	}
	return nil
}
