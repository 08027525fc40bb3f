#!/bin/sh
# What a plain script does to attest one version: sign the index and each platform's image, attach provenance and mirror record
# to the index, scan each platform and attach its SBOM to the platform's image and to the index.
#   attest.sh REPOSITORY INDEX_DIGEST PROVENANCE_FILE MIRROR_FILE PLATFORM=DIGEST...
set -eu
repository=$1 index=$1@$2 provenance=$3 mirror=$4
shift 4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
key="--yes --key $MIRROR_SANDBOX_COSIGN_KEY --signing-config $MIRROR_SANDBOX_SIGNING_CONFIG"

cosign sign $key "$index"
cosign attest $key --type slsaprovenance1 --predicate "$provenance" "$index"
cosign attest $key --type https://example.org/mirror/v1 --predicate "$mirror" "$index"
for entry in "$@"; do
  platform=${entry%%=*} image=$repository@${entry#*=}
  syft scan --quiet --platform "$platform" --output "spdx-json=$work/sbom.json" "registry:$image"
  cosign sign $key "$image"
  cosign attest $key --type spdxjson --predicate "$work/sbom.json" "$image"
  cosign attest $key --type spdxjson --predicate "$work/sbom.json" "$index"
done
