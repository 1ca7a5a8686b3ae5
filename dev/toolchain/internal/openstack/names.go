package openstack

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

// Property is what the plugin knows of one property, reduced to what an SDK can get wrong.
type Property struct {
	// Kind is "scalar", "list", "map" or "object".
	Kind string `json:"kind"`
	// Input is true when a program may set it.
	Input bool `json:"input"`
	// Element holds the properties of an object, or of the objects in a list.
	Element map[string]Property `json:"element,omitempty"`
}

// Description holds tokens and property names of the whole plugin. Terraform lists every name of the Terraform
// provider, served or not.
type Description struct {
	Config    map[string]Property            `json:"config"`
	Resources map[string]map[string]Property `json:"resources"`
	Functions map[string]map[string]Property `json:"functions"`
	Terraform map[string][]string            `json:"terraform"`
}

// Describe lists what the provider serves, under Pulumi's names.
func Describe(info tfbridge.ProviderInfo) Description {
	out := Description{
		Config:    properties(info.P.Schema(), info.Config),
		Resources: map[string]map[string]Property{},
		Functions: map[string]map[string]Property{},
		Terraform: map[string][]string{},
	}
	info.P.ResourcesMap().Range(func(name string, res shim.Resource) bool {
		out.Terraform["resources"] = append(out.Terraform["resources"], name)
		if known, ok := info.Resources[name]; ok {
			out.Resources[string(known.Tok)] = properties(res.Schema(), known.Fields)
		}
		return true
	})
	info.P.DataSourcesMap().Range(func(name string, res shim.Resource) bool {
		out.Terraform["functions"] = append(out.Terraform["functions"], name)
		if known, ok := info.DataSources[name]; ok {
			out.Functions[string(known.Tok)] = properties(res.Schema(), known.Fields)
		}
		return true
	})
	return out
}

func properties(fields shim.SchemaMap, overrides map[string]*tfbridge.SchemaInfo) map[string]Property {
	out := map[string]Property{}
	fields.Range(func(name string, field shim.Schema) bool {
		if field.Removed() == "" {
			out[tfbridge.TerraformToPulumiNameV2(name, fields, overrides)] = property(field)
		}
		return true
	})
	return out
}

func property(field shim.Schema) Property {
	out := Property{Kind: "scalar", Input: field.Optional() || field.Required()}
	switch field.Type() {
	case shim.TypeMap:
		out.Kind = "map"
	case shim.TypeList, shim.TypeSet:
		out.Kind = "list"
		if object, ok := field.Elem().(shim.Resource); ok {
			out.Element = properties(object.Schema(), nil)
		}
		if tfbridge.IsMaxItemsOne(field, nil) {
			// The bridge flattens a list of at most one into the element itself.
			out.Kind = "scalar"
			if out.Element != nil {
				out.Kind = "object"
			}
		}
	}
	return out
}
