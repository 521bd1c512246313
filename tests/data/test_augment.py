from functools import partial

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from emoscope.data.augment import PARTS, EightfoldAugment, FaceAugment, LogMelAugment  # noqa: E402

CASES = {
    "face": (FaceAugment, (1, 48, 48), 8),
    "gentle face": (partial(FaceAugment, gentle=True), (1, 48, 48), 8),
    "poor face": (partial(FaceAugment, poor=True), (1, 48, 48), 8),
    "mixed face": (partial(FaceAugment, (*PARTS, "mixing")), (1, 48, 48), 8),
    "logmel": (partial(LogMelAugment, bands=128, mixing=1.0), (188, 128), 6),
    "eightfold": (EightfoldAugment, (188, 128), 6),
}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def batch(shape: tuple[int, ...], classes: int, count: int) -> tuple[Tensor, Tensor]:
    return torch.rand(count, *shape), torch.softmax(3 * torch.randn(count, classes), 1)


@pytest.mark.parametrize("count", [1, 2, 33])
@pytest.mark.parametrize("case", CASES)
def test_shapes_and_ranges_stay_and_targets_stay_distributions(case: str, count: int) -> None:
    make, shape, classes = CASES[case]
    inputs, targets = batch(shape, classes, count)
    changed, mixed = make()(inputs.clone(), targets)
    assert changed.shape == inputs.shape
    assert mixed.shape == targets.shape
    assert changed.dtype == mixed.dtype == torch.float32
    assert changed.min() >= 0
    assert changed.max() <= 1
    torch.testing.assert_close(mixed.sum(1), torch.ones(count))
    assert (mixed >= 0).all()


@pytest.mark.parametrize("case", CASES)
def test_every_call_and_every_input_is_changed_differently(case: str) -> None:
    make, shape, classes = CASES[case]
    augment = make()
    same = torch.rand(1, *shape).expand(16, *shape).contiguous()
    targets = torch.full((16, classes), 1 / classes)
    first, second = augment(same, targets)[0], augment(same, targets)[0]
    assert not torch.equal(first, second)
    assert len({round(float(one.mean()), 6) for one in first}) > 8


@pytest.mark.parametrize("case", CASES)
def test_the_same_seed_changes_in_the_same_way(case: str) -> None:
    make, shape, classes = CASES[case]
    inputs, targets = batch(shape, classes, 4)
    out = []
    for _ in range(2):
        torch.manual_seed(5)
        out.append(make()(inputs.clone(), targets))
    torch.testing.assert_close(out[0], out[1], rtol=0, atol=0)


@pytest.mark.parametrize("case", CASES)
def test_the_batch_that_was_given_is_not_changed(case: str) -> None:
    make, shape, classes = CASES[case]
    inputs, targets = batch(shape, classes, 4)
    before = inputs.clone(), targets.clone()
    make()(inputs, targets)
    assert torch.equal(inputs, before[0])
    assert torch.equal(targets, before[1])


def test_faces_keep_their_targets_and_gain_no_black_border() -> None:
    white = torch.ones(64, 1, 48, 48)
    targets = torch.eye(8)[torch.arange(64) % 8]
    faces, same = FaceAugment()(white, targets)
    assert torch.equal(same, targets)
    assert faces.min() > 0.3  # the darkest is an erased patch, or dimmed light


def test_a_gentle_change_is_smaller() -> None:
    ramp = torch.linspace(0, 1, 48).expand(64, 1, 48, 48).transpose(2, 3).contiguous()  # a flip leaves it as it is
    targets = torch.full((64, 8), 1 / 8)
    usual, gentle = ((make(ramp, targets)[0] - ramp).abs().mean() for make in (FaceAugment(), FaceAugment(gentle=True)))
    assert 0 < gentle < 0.5 * usual


def test_mixing_mixes_inputs_and_targets_alike() -> None:
    """Each input is even, at a level that tells its class: so is every mixture, apart from what was masked or noisy."""
    levels = torch.tensor([0.5, 0.7, 0.9])
    classes = torch.arange(60) % 3
    inputs = levels[classes].view(60, 1, 1).expand(60, 188, 128).contiguous()
    mixed, targets = LogMelAugment(bands=128, mixing=1.0, nothing=0.0)(inputs, torch.eye(3)[classes])
    expected = targets @ levels
    found = mixed.flatten(1).median(1).values
    assert (targets.max(1).values < 0.99).any()
    close = (found - expected).abs() < 0.02
    assert close.float().mean() > 0.5  # masks and warps of the one that is mixed in move some
    assert (targets.max(1).values >= 0.5).all()  # an input's own share is the larger one


def test_masks_and_floor_leave_most_of_a_window() -> None:
    ones = torch.ones(64, 188, 128)
    changed, _ = LogMelAugment(nothing=0.0)(ones, torch.full((64, 6), 1 / 6))
    share = (changed > 0.99).float().mean()
    assert 0.2 < share < 0.99


def test_bands_are_averaged_first_where_fewer_are_asked_for() -> None:
    windows, targets = batch((188, 128), 6, 4)
    assert LogMelAugment(bands=32)(windows, targets)[0].shape == (4, 188, 32)


def test_what_is_no_voice_has_an_even_target() -> None:
    windows, targets = torch.ones(200, 188, 64), torch.eye(6)[torch.arange(200) % 6]
    changed, changed_targets = LogMelAugment(mixing=0.0, nothing=0.5)(windows, targets)
    even = (changed_targets - 1 / 6).abs().amax(1) < 1e-6
    assert 60 < even.sum() < 140
    torch.testing.assert_close(changed_targets[~even], targets[~even])
    assert (changed[even].flatten(1).mean(1) < changed[~even].flatten(1).mean(1).min()).float().mean() > 0.5


def test_an_eighth_of_the_windows_stays_as_it_is() -> None:
    windows, targets = batch((40, 128), 6, 64)
    changed, same = EightfoldAugment()(windows.clone(), targets)
    assert torch.equal(same, targets)
    untouched = (changed - windows).abs().flatten(1).amax(1) < 1e-3
    assert 0.02 < untouched.float().mean() < 0.3


def test_made_sounds_are_among_what_is_no_voice() -> None:
    augment = LogMelAugment(mixing=0.0, nothing=1.0, sounds=12)
    assert augment.sounds is not None
    assert augment.sounds.shape == (12, 188, 128)
    windows, targets = torch.ones(64, 188, 64), torch.eye(6)[torch.arange(64) % 6]
    changed, even = augment(windows, targets)
    assert changed.shape == windows.shape
    torch.testing.assert_close(even, torch.full((64, 6), 1 / 6))


def test_only_the_named_parts_change_a_face() -> None:
    faces, targets = batch((1, 48, 48), 8, 12)
    torch.testing.assert_close(FaceAugment(())(faces, targets), (faces, targets))
    flipped = FaceAugment(("flip",))(faces, targets)[0]
    mirrored = [torch.equal(one, face.flip(2)) for one, face in zip(flipped, faces, strict=True)]
    same = [torch.equal(one, face) for one, face in zip(flipped, faces, strict=True)]
    assert all(a or b for a, b in zip(mirrored, same, strict=True))
    assert any(mirrored)
    assert any(same)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_changes_faces(part: str) -> None:
    faces, targets = batch((1, 48, 48), 8, 32)
    assert not torch.equal(FaceAugment((part,))(faces, targets)[0], faces)


def test_faces_are_cut_to_a_side() -> None:
    faces, targets = batch((1, 48, 48), 8, 3)
    assert FaceAugment(side=40)(faces, targets)[0].shape == (3, 1, 40, 40)


def test_mixing_mixes_faces_and_targets_alike() -> None:
    labels = torch.arange(8).repeat(4)
    faces = (labels / 8).reshape(-1, 1, 1, 1).expand(-1, 1, 48, 48)
    mixed, targets = FaceAugment(("mixing",))(faces, torch.eye(8)[labels])
    torch.testing.assert_close(mixed.mean((1, 2, 3)), targets @ (torch.arange(8) / 8))
    assert ((targets > 0).sum(1) == 2).any()
    assert (targets.max(1).values >= 0.5).all()


def test_poor_faces_lose_detail() -> None:
    faces, targets = batch((1, 48, 48), 8, 64)
    changed = FaceAugment((), poor=True)(faces, targets)[0]
    detail = (changed - changed.roll(1, 3)).abs().mean((1, 2, 3)) / (faces - faces.roll(1, 3)).abs().mean((1, 2, 3))
    assert 0.25 < (detail < 0.8).float().mean() < 0.75
    assert torch.isclose(detail, torch.ones(64), atol=1e-4).float().mean() > 0.3
