#!/usr/bin/env bash
# Pushes an OCI layout: push.sh FOLDER HOST/NAME:TAG. Credentials are those of `docker login` or `skopeo login`.
set -euo pipefail
layout=$1 image=${2-}

if [[ ! $image =~ ^([^/]+)/[^:@]+:[A-Za-z0-9_][A-Za-z0-9_.-]*$ ]]; then
  echo "to where? say HOST/NAME:TAG, as in: make push IMAGE=registry.example.com/jotgate:0.1.0; found: \`$image\`" >&2
  exit 1
fi
# Without TLS anybody on the way could put another gate in its place.
verify=true
[[ ${BASH_REMATCH[1]} =~ ^(localhost|127\.[0-9.]+)(:[0-9]+)?$ ]] && verify=false

digest=$(mktemp)
trap 'rm -f "$digest"' EXIT
# There is one manifest, and it is pushed as it is: its digest was known before.
skopeo --insecure-policy copy --preserve-digests --dest-tls-verify=$verify --digestfile "$digest" \
  "oci:$layout" "docker://$image"
echo "pushed $image"
echo "       oci://${image%:*}@$(cat "$digest")"
