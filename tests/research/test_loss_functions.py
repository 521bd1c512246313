import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from emoscope.training.losses import cross_entropy  # noqa: E402
from research.reference.loss_functions import class_balanced, drawn, focal  # noqa: E402

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.1, 0.0], [-1.0, 3.0, 0.0]])
LABELS = torch.tensor([0, 2, 1])
TARGETS = functional.one_hot(LABELS, 3).float()


def test_focal_loss_without_focus_is_cross_entropy() -> None:
    torch.testing.assert_close(focal(0.0, 1.0)(LOGITS, TARGETS), cross_entropy(LOGITS, TARGETS))


def test_focal_loss_is_the_published_formula() -> None:
    p = torch.softmax(LOGITS, 1)[torch.arange(3), LABELS]
    torch.testing.assert_close(focal()(LOGITS, TARGETS), (-0.25 * (1 - p) ** 2 * p.log()).mean())


def test_focal_loss_minds_the_hard_sample_more() -> None:
    def share_of_hard(loss) -> float:  # type: ignore[no-untyped-def]
        logits = LOGITS.clone().requires_grad_()
        loss(logits, TARGETS).backward()
        sizes = logits.grad.norm(dim=1)
        return float(sizes[1] / sizes.sum())

    assert share_of_hard(focal()) > share_of_hard(cross_entropy)


def test_class_balanced_weights() -> None:
    even = class_balanced(np.array([50, 50, 50]))
    torch.testing.assert_close(even(LOGITS, TARGETS), cross_entropy(LOGITS, TARGETS))
    rare = class_balanced(np.array([1000, 1000, 10]))
    assert rare(LOGITS[1:2], TARGETS[1:2]) > 2 * cross_entropy(LOGITS[1:2], TARGETS[1:2])
    assert rare(LOGITS[:1], TARGETS[:1]) < cross_entropy(LOGITS[:1], TARGETS[:1])
    absent = class_balanced(np.array([100, 100, 0]))
    assert absent(LOGITS[1:2], TARGETS[1:2]) == 0


def test_labels_are_drawn_from_the_targets() -> None:
    torch.manual_seed(0)
    seen = []

    def catch(logits, targets):  # type: ignore[no-untyped-def]
        seen.append(targets)
        return logits.sum()

    loss = drawn(catch)
    targets = torch.tensor([[0.7, 0.3, 0.0]]).repeat(2000, 1)
    loss(torch.zeros(2000, 3), targets)
    labels = seen[0]
    assert set(labels.unique().tolist()) == {0.0, 1.0}
    assert (labels.sum(1) == 1).all()
    assert labels.mean(0).tolist() == pytest.approx([0.7, 0.3, 0.0], abs=0.04)
