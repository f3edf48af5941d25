"""Small archives as many tools write them, and what each gives: the files are in tests/services/transfer/archives."""

from dataclasses import dataclass
from pathlib import Path

from services.images.manifests import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST

FOLDER = Path(__file__).parents[1] / "services" / "transfer" / "archives"


@dataclass(frozen=True)
class Offered:
    """An image that is offered and pushed: its names, platforms, and the manifests, from the leaves up."""

    names: tuple[str, ...]
    platforms: tuple[str, ...]
    manifests: tuple[str, ...]
    layers: int
    refusal: str = ""
    not_pushed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """`refusal` is what is said of the whole archive, `Offered.refusal` of one image when it is prepared."""

    images: tuple[Offered, ...] = ()
    left_out: tuple[str, ...] = ()
    refusal: str = ""
    # skopeo's transport for it, where skopeo reads it and takes the same image out of it.
    skopeo: str = ""


AMD64 = ("linux/amd64",)


def docker(*names: str, layers: int = 1, refusal: str = "") -> Offered:
    return Offered(names, AMD64, (DOCKER_MANIFEST,), layers, refusal)


def oci(*names: str, platforms: tuple[str, ...] = AMD64, layers: int = 1) -> Offered:
    return Offered(names, platforms, (OCI_MANIFEST,), layers)


def saved(*images: Offered, left_out: tuple[str, ...] = ()) -> Case:
    return Case(images, left_out, skopeo="docker-archive")


def layout(*images: Offered, left_out: tuple[str, ...] = ()) -> Case:
    return Case(images, left_out, skopeo="oci-archive")


_ARTIFACT = "sha256:69623c36b509452ceea79efdff28de359e8bb897b672fd45217634b9c3d0b6c8"
_FOREIGN = (
    "the layer sha256:2a365604e18a6ccefe5c3df56e689d993737d16e1d2176dd892547f157953cd3: "
    "clients load it from example.invalid",
    "the layer sha256:b2117e1ae0d093f9393f729be88f49bc7b6af7909f4ff9501364e0ca86663bf9: "
    "clients load it from example.invalid",
)

CASES = {
    # What tools write, and is pushed.
    "bsdtar-repack-with-dot-underscore.tar": saved(docker("x:1")),
    "crane-ko-kaniko.tar": saved(docker("registry.example/app:v1", layers=2)),
    "jib.tar": saved(docker("app:v1", layers=2)),
    "nix-layered.tar.gz": saved(docker("app:v1", layers=2)),
    "docker24-symlink-layer.tar": saved(docker("app:v1", layers=3)),
    "podman-docker-archive.tar": Case((docker("localhost/app:v1"),)),  # skopeo 1.9 follows no link out of a folder.
    "hardlink-layer.tar": saved(docker("app:v1", layers=2)),
    "repotags-null.tar": saved(docker()),
    "estargz-like-multimember-gzip.tar": saved(docker("x:1")),
    "entrypoint-is-a-string.tar": saved(docker("x:1")),
    "two-hundred-layers.tar.gz": saved(docker("many:v1", layers=200)),
    "one-zero-block.tar": saved(docker("x:1")),
    "oci-zstd.tar": layout(oci()),
    "oras-artifact.tar": layout(oci("v1", platforms=())),
    "oras-annotations-only.tar": layout(oci("v1", platforms=())),
    "wasm-artifact.tar": layout(oci("v1", platforms=())),
    # skopeo copies no index in an index.
    "nested-and-empty-index.tar": Case((Offered(("v1",), (), (OCI_MANIFEST, OCI_INDEX, OCI_INDEX, OCI_INDEX), 1),)),
    "layout-manifest-without-mediatype.tar": layout(oci("v1")),
    # docker's own layouts, which leave out what manifest.json has.
    "docker25-layout-without-layers.tar": saved(
        docker("app:latest"),
        left_out=(
            "docker.io/library/app:latest: The image has 0 layers, and its config names 1 (rootfs.diff_ids): "
            "it would not run.",
        ),
    ),
    "docker-two-saved-by-digest-one-in-index.tar": saved(oci(), docker()),
    "docker25-saved-by-digest-manifests-null.tar": saved(docker()),
    "docker24-no-layers-null.tar": saved(docker("empty:v1", layers=0)),
    # Members that come twice, and no end mark.
    "bundle-shared-layer-twice.tar": saved(docker("one:v1", layers=2), docker("two:v1", layers=2)),
    "no-end-mark.tar": saved(docker("x:1")),
    # What is not pushed with the image, or beside it.
    "windows-index-foreign-layer.tar": Case(
        (
            Offered(
                ("v1",),
                ("windows/amd64:10.0.17763.5329", "windows/amd64:10.0.20348.2227"),
                (DOCKER_MANIFEST, DOCKER_MANIFEST, DOCKER_LIST),
                4,
                not_pushed=_FOREIGN,
            ),
        )
    ),
    "layout-with-artifact-manifest.tar": layout(
        oci("v1"),
        left_out=(
            f"{_ARTIFACT}: The manifest {_ARTIFACT} is of a kind that is not pushed here: "
            "application/vnd.oci.artifact.manifest.v1+json.",
        ),
    ),
    "docker-containerd-store-partial.tar": Case(
        (
            oci("docker.io/library/app:v1"),
            Offered(
                ("docker.io/library/app:v1",),
                ("linux/amd64", "linux/arm64"),
                (),
                0,
                refusal="The archive lacks a part of the image: linux/arm64, sha256:5c55bbc2b4582c7a7df3a352b06c96bfa9"
                "67d64f4e59da26dc9b97c618fb639d.",
            ),
        )
    ),
    # What is refused.
    "docker-archive-zstd-layer.tar": Case(
        (
            docker(
                "x:1",
                refusal="The layer sha256:4f2a9614a32c64cd4d42839cf6587a2566790472e353b087c95033ef915e04e9 is "
                "compressed with zstd, which is not read here: its content can't be compared with what the image's "
                "config says.",
            ),
        )
    ),
    "empty-layer-path.tar": Case(
        (
            docker(
                "x:1",
                layers=2,
                refusal="The archive lacks a part of the image: layer 1 of 2, which has no path.",
            ),
        )
    ),
    "symlink-chain.tar": Case(refusal="id2/layer.tar is a link to a link."),
    "oci-sha512-layer.tar": Case(
        refusal="The blob sha512:a3d5c7a0bf2c7a209ef5c2c00a34fd3c94db58968a846c96d3ba71870bd23be0384163a55d03b08b593bc7"
        "37d546551100426531487cef132e149ea362ca904f has a digest that the registry does not compute: it uses SHA-256."
    ),
    "helm-chart.tgz": Case(refusal="It is a Helm chart, no image."),
    "layout-inside-a-folder.tar": Case(refusal="The OCI layout in it is in the folder app, not at its top."),
}
