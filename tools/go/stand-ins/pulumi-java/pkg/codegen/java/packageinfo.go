// Package java stands in for Pulumi's Java code generator, which the docker-build
// provider imports only to describe the Java SDK in its schema. Nothing is generated here.
package java

// PackageInfo holds the fields the docker-build provider sets in its schema.
type PackageInfo struct {
	BuildFiles                      string            `json:"buildFiles,omitempty"`
	GradleNexusPublishPluginVersion string            `json:"gradleNexusPublishPluginVersion,omitempty"`
	Dependencies                    map[string]string `json:"dependencies,omitempty"`
}
