"""Presigns with botocore what it reads, one JSON object a line: the oracle for signatures of the `aws` crate."""

import datetime
import json
import sys
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def presign(case):
    at = datetime.datetime.fromtimestamp(case["at"], datetime.timezone.utc)
    request = AWSRequest("GET", case["url"], headers={"x-k8s-aws-id": case["cluster"]})
    keys = Credentials(case["id"], case["secret"], case["token"])
    with mock.patch("botocore.auth.get_current_datetime", return_value=at.replace(tzinfo=None)):
        botocore.auth.SigV4QueryAuth(keys, "sts", case["region"], expires=60).add_auth(request)
    return request.url


for line in sys.stdin:
    print(json.dumps(presign(json.loads(line))))
