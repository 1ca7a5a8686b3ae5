// Package openstack bridges the Terraform provider of OpenStack to Pulumi, under the names of the official plugin.
package openstack

import (
	_ "embed"
	"encoding/json"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-provider-openstack/terraform-provider-openstack/v3/openstack"
)

// tokensJSON maps Terraform names to Pulumi tokens. generate_tokens.py derives it from the SDK.
//
//go:embed tokens.json
var tokensJSON []byte

type tokenTable struct {
	Resources map[string]tokens.Type         `json:"resources"`
	Functions map[string]tokens.ModuleMember `json:"functions"`
}

// propertyNames are the names that the official plugin gives by hand, by Terraform resource and field. All others
// follow the bridge's own rule (camel case, lists in the plural).
var propertyNames = map[string]map[string]string{
	"openstack_networking_subnet_v2":   {"allocation_pool": "allocationPools"},
	"openstack_orchestration_stack_v1": {"outputs": "StackOutputs"},
}

// configEnvironment lists the provider settings for which the official plugin reads an environment variable in the
// bridge. The others (OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, ...) are read by the Terraform provider or gophercloud.
var configEnvironment = map[string]string{
	"allow_reauth":  "OS_ALLOW_REAUTH",
	"cloud":         "OS_CLOUD",
	"delayed_auth":  "OS_DELAYED_AUTH",
	"endpoint_type": "OS_ENDPOINT_TYPE",
	"insecure":      "OS_INSECURE",
	"region":        "OS_REGION_NAME",
	"swauth":        "OS_SWAUTH",
}

// Provider describes the bridged provider. version is that of the Pulumi plugin.
func Provider(version string) tfbridge.ProviderInfo {
	var table tokenTable
	if err := json.Unmarshal(tokensJSON, &table); err != nil {
		panic("tokens.json: " + err.Error())
	}
	info := tfbridge.ProviderInfo{
		P:                       shimv2.NewProvider(openstack.Provider()),
		Name:                    "openstack",
		Version:                 version,
		ResourcePrefix:          "openstack",
		GitHubOrg:               "terraform-provider-openstack",
		TFProviderModuleVersion: "v3",
		Config:                  map[string]*tfbridge.SchemaInfo{},
		Resources:               map[string]*tfbridge.ResourceInfo{},
		DataSources:             map[string]*tfbridge.DataSourceInfo{},
	}
	for key, variable := range configEnvironment {
		info.Config[key] = &tfbridge.SchemaInfo{Default: &tfbridge.DefaultInfo{EnvVars: []string{variable}}}
	}
	for name, token := range table.Resources {
		info.Resources[name] = &tfbridge.ResourceInfo{Tok: token}
		for field, property := range propertyNames[name] {
			if info.Resources[name].Fields == nil {
				info.Resources[name].Fields = map[string]*tfbridge.SchemaInfo{}
			}
			info.Resources[name].Fields[field] = &tfbridge.SchemaInfo{Name: property}
		}
	}
	for name, token := range table.Functions {
		info.DataSources[name] = &tfbridge.DataSourceInfo{Tok: token}
	}
	// As the official plugin: a name that is not given is made from the resource's name and random characters, and a
	// resource whose name is given is deleted before its replacement is created.
	info.SetAutonaming(255, "-")
	return info
}
