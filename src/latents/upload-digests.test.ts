import { describe, expect, it } from 'vitest';
import { withoutUploadDigests } from './upload-digests.js';

describe('metadata of a picture', () => {
  it("does not hold rclone's hash of the upload", () => {
    expect(withoutUploadDigests({ md5chksum: 'n1Tghexa+US2prvLuqJ0Z5w==', mtime: '1795534256.5' })).toEqual({
      mtime: '1795534256.5',
    });
  });

  it("does not hold s3cmd's hash of the upload, and keeps its other attributes", () => {
    const attributes = 'gid:0/gname:root/md5:9f54e0855b94a6d4fafb6bbbbca0246c/mode:33188/mtime:1795534256';
    expect(withoutUploadDigests({ 's3cmd-attrs': attributes, note: 'kept' })).toEqual({
      's3cmd-attrs': 'gid:0/gname:root/mode:33188/mtime:1795534256',
      note: 'kept',
    });
    expect(withoutUploadDigests({ 's3cmd-attrs': 'md5:9f54e0855b94a6d4fafb6bbbbca0246c' })).toEqual({});
  });

  it('is otherwise what the client sent', () => {
    const metadata = { md5: 'mine', 'x-md5chksum': 'mine too' };
    expect(withoutUploadDigests(metadata)).toEqual(metadata);
  });
});
