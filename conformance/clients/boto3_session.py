"""boto3 as a program's author uses it; reads one JSON command a line, answers one JSON line (support/json-process.ts)."""

import io
import json
import sys
import urllib.request
import uuid

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

settings = json.loads(sys.argv[1])
s3 = boto3.client(
    "s3",
    endpoint_url=settings["endpoint"],
    region_name=settings["region"],
    aws_access_key_id=settings["accessKeyId"],
    aws_secret_access_key=settings["secretAccessKey"],
    verify=settings.get("certificateAuthority"),
    config=Config(signature_version="s3v4"),
)
resource = boto3.resource(
    "s3",
    endpoint_url=settings["endpoint"],
    region_name=settings["region"],
    aws_access_key_id=settings["accessKeyId"],
    aws_secret_access_key=settings["secretAccessKey"],
    verify=settings.get("certificateAuthority"),
)
transfer = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20)


def make_bucket(bucket):
    s3.create_bucket(Bucket=bucket)
    s3.get_waiter("bucket_exists").wait(Bucket=bucket)


def remove_bucket(bucket):
    s3.delete_bucket(Bucket=bucket)


def buckets():
    return [bucket.name for bucket in resource.buckets.all()]


def upload(file, bucket, key, contentType=None, metadata=None):
    extra = {}
    if contentType is not None:
        extra["ContentType"] = contentType
    if metadata is not None:
        extra["Metadata"] = metadata
    s3.upload_file(file, bucket, key, ExtraArgs=extra, Config=transfer)


def download(bucket, key, file):
    s3.download_file(bucket, key, file, Config=transfer)


def list_objects(bucket, prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [{"key": entry["Key"], "size": entry["Size"]} for page in pages for entry in page.get("Contents", [])]


def copy(bucket, source, to):
    s3.copy({"Bucket": bucket, "Key": source}, bucket, to)


def remove(bucket, key):
    s3.delete_object(Bucket=bucket, Key=key)


def remove_all(bucket, prefix):
    resource.Bucket(bucket).objects.filter(Prefix=prefix).delete()


def read_range(bucket, key, start, length):
    answer = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={start}-{start + length - 1}")
    return answer["Body"].read().hex()


def head(bucket, key):
    answer = s3.head_object(Bucket=bucket, Key=key)
    return {"contentType": answer["ContentType"], "metadata": answer["Metadata"]}


def presign(method, bucket, key):
    return s3.generate_presigned_url(method, Params={"Bucket": bucket, "Key": key}, ExpiresIn=300)


def upload_stream(bucket, key, megabytes):
    """A stream whose length boto3 does not know, so that it goes up in parts."""
    content = bytes(range(256)) * 4096 * megabytes
    s3.upload_fileobj(io.BytesIO(content), bucket, key, Config=transfer)
    back = io.BytesIO()
    s3.download_fileobj(bucket, key, back, Config=transfer)
    assert back.getvalue() == content, "the bytes differ"


def post_form(bucket, prefix, name, text):
    """A browser's form, filled by urllib."""
    form = s3.generate_presigned_post(
        bucket,
        prefix + "${filename}",
        Fields={"Content-Type": "text/plain", "success_action_status": "201"},
        Conditions=[["starts-with", "$key", prefix], {"Content-Type": "text/plain"}, {"success_action_status": "201"}, ["content-length-range", 1, 1000]],
        ExpiresIn=300,
    )
    status, answer = send_form(form, name, text.encode())
    assert status == 201, answer
    assert s3.get_object(Bucket=bucket, Key=prefix + name)["Body"].read() == text.encode()
    status, answer = send_form(form, name, b"x" * 1001)
    assert status == 400 and "EntityTooLarge" in answer, (status, answer)


def send_form(form, name, content):
    boundary = uuid.uuid4().hex
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n' for field, value in form["fields"].items()]
    body = "".join(parts).encode() + f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode() + content + f"\r\n--{boundary}--\r\n".encode()
    request = urllib.request.Request(form["url"], data=body, headers={"Content-Type": f"multipart/form-data; boundary={boundary}"})
    context = None
    if "certificateAuthority" in settings:
        import ssl

        context = ssl.create_default_context(cafile=settings["certificateAuthority"])
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def checksums(bucket, key):
    for algorithm in ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"checked", ChecksumAlgorithm=algorithm)
        answer = s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        assert answer["Body"].read() == b"checked"
        assert f"Checksum{algorithm}" in answer, f"no {algorithm} on GET"
        attributes = s3.get_object_attributes(Bucket=bucket, Key=key, ObjectAttributes=["ETag", "Checksum", "ObjectSize"])
        assert attributes["Checksum"][f"Checksum{algorithm}"] == answer[f"Checksum{algorithm}"]
        assert attributes["ObjectSize"] == 7


def conditions(bucket, key):
    etag = s3.put_object(Bucket=bucket, Key=key, Body=b"one")["ETag"]
    for wrong, code in [({"IfNoneMatch": "*"}, "PreconditionFailed"), ({"IfMatch": '"0"'}, "PreconditionFailed")]:
        expect_error(code, s3.put_object, Bucket=bucket, Key=key, Body=b"two", **wrong)
    expect_error("304", s3.get_object, Bucket=bucket, Key=key, IfNoneMatch=etag)
    expect_error("PreconditionFailed", s3.delete_object, Bucket=bucket, Key=key, IfMatch='"0"')
    s3.put_object(Bucket=bucket, Key=key, Body=b"two", IfMatch=etag)


def expect_error(code, call, **parameters):
    try:
        call(**parameters)
    except s3.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, error
    else:
        raise AssertionError(f"{code} was expected")


def uploads(bucket, key):
    """An upload by hand: parts copied from an object, listed, the upload listed and given up."""
    s3.put_object(Bucket=bucket, Key=key, Body=b"p" * (6 << 20))
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key + ".parts")["UploadId"]
    where = {"Bucket": bucket, "Key": key + ".parts", "UploadId": upload}
    source = {"Bucket": bucket, "Key": key}
    first = s3.upload_part_copy(**where, PartNumber=1, CopySource=source, CopySourceRange=f"bytes=0-{(5 << 20) - 1}")
    second = s3.upload_part(**where, PartNumber=2, Body=b"tail")
    listed = s3.list_parts(**where)["Parts"]
    assert [part["PartNumber"] for part in listed] == [1, 2], listed
    assert any(entry["UploadId"] == upload for entry in s3.list_multipart_uploads(Bucket=bucket)["Uploads"])
    parts = [{"PartNumber": 1, "ETag": first["CopyPartResult"]["ETag"]}, {"PartNumber": 2, "ETag": second["ETag"]}]
    s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=bucket, Key=key + ".parts", PartNumber=2)["Body"].read() == b"tail"
    given_up = s3.create_multipart_upload(Bucket=bucket, Key=key + ".parts")["UploadId"]
    s3.abort_multipart_upload(Bucket=bucket, Key=key + ".parts", UploadId=given_up)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def versions(bucket):
    """How tools that empty a bucket see one without versioning."""
    s3.put_object(Bucket=bucket, Key="versions/a", Body=b"a")
    listed = s3.list_object_versions(Bucket=bucket, Prefix="versions/")["Versions"]
    assert [(entry["Key"], entry["VersionId"]) for entry in listed] == [("versions/a", "null")], listed
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "versions/a", "VersionId": "null"}]})
    assert "Versions" not in s3.list_object_versions(Bucket=bucket, Prefix="versions/")


functions = {name: value for name, value in globals().items() if callable(value)}
for line in sys.stdin:
    command = json.loads(line)
    try:
        result = functions[command.pop("operation")](**command)
        print(json.dumps({"result": result}), flush=True)
    except Exception as error:  # noqa: BLE001 (whatever fails is the answer)
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
