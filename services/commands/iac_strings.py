"""Text as a string of Bicep and of Terraform: whatever is in it stays text."""

import json


def bicep_string(text: str) -> str:
    """https://learn.microsoft.com/azure/azure-resource-manager/bicep/data-types#strings"""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
    escaped = escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return f"'{escaped}'"


def hcl_string(text: str) -> str:
    """https://developer.hashicorp.com/terraform/language/expressions/strings"""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
