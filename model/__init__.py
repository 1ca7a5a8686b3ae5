"""Pure decisions: settings, plan, addresses, firewall, secrets, inventory. Imports no Pulumi and opens no socket."""
