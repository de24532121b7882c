# SPDX-License-Identifier: BSD-3-Clause
"""Builder of networks of attention between tokens."""

from ._attention import attending, normalized, waves_class
from ._layers import applied, float32_model, masked_mean_pooling_class, not_padding_class
from ._network import Network
from ._seeded_layers import SeededLayers


def token_attention(
    n_tokens,
    embedding_size,
    n_layers,
    n_heads,
    n_components,
    n_outputs,
    *,
    code_activation,
    loss,
    dropout,
    seed,
):
    """Return a network from tokens to `n_outputs` or, if that is None, to the tokens themselves."""
    make = SeededLayers(seed)
    rows = make.input((None,), dtype="int32")
    is_step = applied(not_padding_class(), rows, name="is_step")
    hidden = make.embedding(rows, n_tokens + 1, embedding_size)  # one for what is hidden
    hidden = applied(waves_class(), [hidden, is_step], 0.05, name="places")
    hidden = attending(make, hidden, n_layers, n_heads, dropout, is_step=is_step)
    codes = make.dense(normalized(hidden, "normalized"), n_components, code_activation, "codes")
    code = applied(masked_mean_pooling_class(), [codes, is_step], name="code")
    if n_outputs is None:
        output, output_loss = make.token_head(codes, n_tokens, name="tokens")
    else:
        output, output_loss = make.head(code, n_outputs, loss)
    model = float32_model(rows, [output, code], name="token_attention")
    return Network(model, ([rows], code), {"output": output_loss})
