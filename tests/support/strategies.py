"""What hypothesis draws: names as the registry allows them, and JSON of any shape."""

from hypothesis import strategies as st

# https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests
_component = st.from_regex(r"[a-z0-9]{1,12}((\.|_|__|-{1,3})[a-z0-9]{1,8}){0,3}", fullmatch=True)
repository_names = st.lists(_component, min_size=1, max_size=6).map("/".join).filter(lambda name: len(name) <= 255)
tag_names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", fullmatch=True)
digests = st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
