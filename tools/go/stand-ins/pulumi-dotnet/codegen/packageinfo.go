// Package codegen stands in for Pulumi's .NET code generator, which the docker-build
// provider imports only to describe the .NET SDK in its schema. Nothing is generated here.
package codegen

// CSharpPackageInfo holds the fields the docker-build provider sets in its schema.
type CSharpPackageInfo struct {
	RespectSchemaVersion bool              `json:"respectSchemaVersion,omitempty"`
	PackageReferences    map[string]string `json:"packageReferences,omitempty"`
}
