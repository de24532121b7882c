"""The parameters of the methods of transfer that were chosen on validation rows or pairs."""

# The parameters are the choices of
#     python benchmarks/transfer.py --data NAME --tune
# from the grids of the methods, by NDCG@10 of the clean validation pairs, for each target (source).
# Less than the grids was searched where fits take long, and said here:
# "ALS on both, source weighted": of the weights, 0.1 and 0.3 into phone, 0.1 to 1 into sport from
#   there, both with less regularization; 0.3 to 1 between sport and cloth, with that of "ALS on
#   both" and balanced confidence.
# EASE: between sport and phone for all four, 100 and 300 on one fold into video for cold users.
# Codebooks: 10 and 30 clusters of rows, into phone for all four.
# Two-tower network: a few fits into phone, and on one fold into video two weights of the source;
#   the number of epochs of the others is a guess.
# MLP to ALS factors: into video for both.
TUNED = {
    "sport (cloth)": {
        "item kNN, target alone": {"weighting": "tfidf", "shrinkage": 10},
        "vote of ALS, item kNN and graph filter, target alone": {"weights": [1, 0, 0]},
        "vote of ALS, item kNN and graph filter, on both": {"weights": [1, 0.25, 0]},
        "two-tower autoencoder": {"epochs": 14},
        "autoencoder, target alone": {"transformer__epochs": 14},
        "EASE, target alone": {"regularization": 300.0},
        "EASE on both": {"regularization": 300.0},
        "graph filter, target alone": {"n_components": 64, "item_exponent": 0.1},
        "ALS, target alone": {"regularization": 0.05, "confidence": "balanced"},
        "item kNN on both": {"weighting": "tfidf", "shrinkage": 10},
        "graph filter on both": {"n_components": 256, "item_exponent": 0.1},
        "ALS on both": {"regularization": 0.04, "confidence": "balanced"},
        "ALS on both, source weighted": {
            "columntransformer__transformer_weights": {"source": 1.0},
            "alsrecommender__regularization": 0.04,
            "alsrecommender__confidence": "balanced",
        },
        "collective factorisation": {"source_weight": 1.0, "confidence": "balanced"},
    },
    "cloth (sport)": {
        "item kNN, target alone": {"weighting": "tfidf", "shrinkage": 10},
        "vote of ALS, item kNN and graph filter, target alone": {"weights": [1, 0, 0.25]},
        "vote of ALS, item kNN and graph filter, on both": {"weights": [1, 0.25, 0]},
        "two-tower autoencoder": {"epochs": 14},
        "autoencoder, target alone": {"transformer__epochs": 14},
        "EASE, target alone": {"regularization": 300.0},
        "EASE on both": {"regularization": 300.0},
        "graph filter, target alone": {"n_components": 64, "item_exponent": 0.1},
        "ALS, target alone": {"regularization": 0.02, "confidence": 100.0},
        "item kNN on both": {"weighting": "bm25", "shrinkage": 10},
        "graph filter on both": {"n_components": 64, "item_exponent": 0.1},
        "ALS on both": {"regularization": 0.04, "confidence": "balanced"},
        "ALS on both, source weighted": {
            "columntransformer__transformer_weights": {"source": 1.0},
            "alsrecommender__regularization": 0.04,
            "alsrecommender__confidence": "balanced",
        },
        "collective factorisation": {"source_weight": 1.0, "confidence": "balanced"},
    },
    "game (video)": {
        "EASE on both": {"regularization": 300.0},
        "ridge, items to items": {"regularization": 300.0},
        "two-tower autoencoder": {"source_weight": 0.5, "epochs": 6},
        "mean of three kernel bridges and ridge to the items": {"weights": [1, 1, 1, 0.3]},
        "ALS, MLP to ALS factors": {
            "bridgerecommender__regressor__regressor__mlpregressor__alpha": 100.0
        },
        "SVD, ridge to the items": {"ridgerecommender__regularization": 100.0},
        "autoencoder, ridge to the items": {"ridgerecommender__regularization": 1000.0},
        "ALS, ridge to the items": {"ridgerecommender__regularization": 100.0},
        "ALS on both": {"regularization": 0.03},
        "ALS, ridge to ALS factors": {
            "alsrecommender__regularization": 0.05,
            "bridgerecommender__recommender__regularization": 0.02,
            "bridgerecommender__regressor__alpha": 3.0,
        },
        "ALS, kernel ridge to ALS factors": {
            "alsrecommender__regularization": 0.05,
            "bridgerecommender__recommender__regularization": 0.02,
            "bridgerecommender__regressor__alpha": 1.0,
        },
        "collective factorisation": {"confidence": "balanced"},
    },
    "video (game)": {
        "EASE on both": {"regularization": 300.0},
        "ridge, items to items": {"regularization": 100.0},
        "two-tower autoencoder": {"source_weight": 0.5, "epochs": 6},
        "mean of three kernel bridges and ridge to the items": {"weights": [1, 1, 1, 0.3]},
        "ALS, MLP to ALS factors": {
            "bridgerecommender__regressor__regressor__mlpregressor__alpha": 100.0
        },
        "SVD, ridge to the items": {"ridgerecommender__regularization": 100.0},
        "autoencoder, ridge to the items": {"ridgerecommender__regularization": 1000.0},
        "ALS, ridge to the items": {"ridgerecommender__regularization": 100.0},
        "ALS on both": {"regularization": 0.03},
        "ALS, ridge to ALS factors": {
            "alsrecommender__regularization": 0.03,
            "bridgerecommender__recommender__regularization": 0.02,
            "bridgerecommender__regressor__alpha": 3.0,
        },
        "ALS, kernel ridge to ALS factors": {
            "alsrecommender__regularization": 0.03,
            "bridgerecommender__recommender__regularization": 0.02,
            "bridgerecommender__regressor__alpha": 3.0,
        },
        "collective factorisation": {"confidence": "balanced"},
    },
    "phone (sport)": {
        "item kNN, target alone": {"weighting": "tfidf", "shrinkage": 10},
        "vote of ALS, item kNN and graph filter, target alone": {"weights": [1, 0.25, 0]},
        "vote of ALS, item kNN and graph filter, on both": {"weights": [1, 0, 0]},
        "two-tower autoencoder": {"epochs": 20},
        "autoencoder, target alone": {"transformer__epochs": 20},
        "EASE, target alone": {"regularization": 300.0},
        "EASE on both": {"regularization": 300.0},
        "graph filter, target alone": {"n_components": 64, "item_exponent": 0.1},
        "item kNN on both": {"weighting": "tfidf", "shrinkage": 10},
        "ALS, target alone": {"regularization": 0.04, "confidence": 100.0},
        "graph filter on both": {"n_components": 256, "item_exponent": 0.1},
        "ALS on both": {"regularization": 0.03, "confidence": 100.0},
        "ALS on both, source weighted": {
            "columntransformer__transformer_weights": {"source": 0.3},
            "alsrecommender__regularization": 0.02,
            "alsrecommender__confidence": 100.0,
        },
        "collective factorisation": {"source_weight": 0.1, "confidence": 100.0},
    },
    "sport (phone)": {
        "item kNN, target alone": {"weighting": "tfidf", "shrinkage": 10},
        "vote of ALS, item kNN and graph filter, target alone": {"weights": [1, 0, 0]},
        "vote of ALS, item kNN and graph filter, on both": {"weights": [1, 0, 0.25]},
        "two-tower autoencoder": {"epochs": 20},
        "autoencoder, target alone": {"transformer__epochs": 20},
        "EASE, target alone": {"regularization": 300.0},
        "EASE on both": {"regularization": 300.0},
        "graph filter, target alone": {"n_components": 64, "item_exponent": 0.1},
        "item kNN on both": {"weighting": "tfidf", "shrinkage": 10},
        "ALS, target alone": {"regularization": 0.03, "confidence": 100.0},
        "graph filter on both": {"n_components": 64, "item_exponent": 0.1},
        "ALS on both": {"regularization": 0.03, "confidence": 100.0},
        "ALS on both, source weighted": {
            "columntransformer__transformer_weights": {"source": 0.3},
            "alsrecommender__regularization": 0.02,
            "alsrecommender__confidence": 100.0,
        },
        "collective factorisation": {"source_weight": 0.3, "confidence": "balanced"},
    },
}

VOTES = {
    "vote of ALS, item kNN and graph filter, on both": {
        "als": "ALS on both, source weighted",
        "knn": "item kNN on both",
        "filter": "graph filter on both",
    },
    "vote of ALS, item kNN and graph filter, target alone": {
        "als": "ALS, target alone",
        "knn": "item kNN, target alone",
        "filter": "graph filter, target alone",
    },
}

# The gate stands between two rows of the table, and a vote is held among three of them.
for chosen in TUNED.values():
    if "ALS on both" in chosen and "ALS, target alone" in chosen:
        chosen["gate: ALS on both, or target alone"] = {
            **{f"transfer__{name}": value for name, value in chosen["ALS on both"].items()},
            **{f"fallback__{name}": value for name, value in chosen["ALS, target alone"].items()},
        }
        # On both, that is the weighted ALS, which has the same share of the source's interactions.
        for vote, parts in VOTES.items():
            chosen[vote] |= {
                f"{part}__{name}": value
                for part, row in parts.items()
                for name, value in chosen[row].items()
            }
