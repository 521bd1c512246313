"""Training needs the extra `train`; without it these tests are passed over."""

import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
