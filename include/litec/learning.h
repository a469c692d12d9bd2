/*
 * litec/learning.h: what a model learns with: optimizers, learning rate schedules, losses, metrics, initialisers, regularisers, constraints.
 * Each is a class of Keras with its arguments and defaults (object.h says how they are written).
 *
 *     LC_ADAM(1e-3)          LC_SGD(.schedule = LC_COSINE_DECAY(0.1, 10000), .momentum = 0.9)          LC_HUBER(.delta = 2)
 */
#ifndef LITEC_LEARNING_H
#define LITEC_LEARNING_H

#include "litec/object.h"

/* clang-format off */

/* ---- optimizers --------------------------------------------------------------------------------------------------------- */

/* The learning rate is a number or a schedule; the schedule counts where both are given. */
#define LC_FIELDS_RATE(F, rate) F(number, learning_rate, "learning_rate", rate) F(object, schedule, "learning_rate", NULL)
#define LC_FIELDS_OPTIMIZER(F, decay) \
    F(number, weight_decay, "weight_decay", decay) F(number, clipnorm, "clipnorm", LC_NONE) \
    F(number, global_clipnorm, "global_clipnorm", LC_NONE) F(number, clipvalue, "clipvalue", LC_NONE) F(yes, use_ema, "use_ema", 0) \
    F(number, ema_momentum, "ema_momentum", 0.99) F(integer, ema_overwrite_frequency, "ema_overwrite_frequency", LC_NONE) \
    F(number, loss_scale_factor, "loss_scale_factor", LC_NONE) \
    F(integer, gradient_accumulation_steps, "gradient_accumulation_steps", LC_NONE) F(text, name, "name", NULL)
#define LC_FIELDS_BETAS(F, second) F(number, beta_1, "beta_1", 0.9) F(number, beta_2, "beta_2", second)
#define LC_FIELDS_EPSILON(F) F(number, epsilon, "epsilon", 1e-7)

#define LC_FIELDS_SGD(F) LC_FIELDS_RATE(F, 0.01) F(number, momentum, "momentum", 0) F(yes, nesterov, "nesterov", 0) LC_FIELDS_OPTIMIZER(F, LC_NONE)
typedef struct lc_sgd { LC_FIRST LC_FIELDS_SGD(LC_MEMBER) } lc_sgd;
#define LC_SGD(...) ((lc_object){"SGD", &(const lc_sgd){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_ADAM_FAMILY(F, decay) \
    LC_FIELDS_RATE(F, 0.001) LC_FIELDS_BETAS(F, 0.999) LC_FIELDS_EPSILON(F) F(yes, amsgrad, "amsgrad", 0) LC_FIELDS_OPTIMIZER(F, decay)
#define LC_FIELDS_ADAM(F) LC_FIELDS_ADAM_FAMILY(F, LC_NONE)
typedef struct lc_adam { LC_FIRST LC_FIELDS_ADAM(LC_MEMBER) } lc_adam;
#define LC_ADAM(...) ((lc_object){"Adam", &(const lc_adam){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_ADAMW(F) LC_FIELDS_ADAM_FAMILY(F, 0.004)
typedef struct lc_adam lc_adamw;
#define LC_ADAMW(...) ((lc_object){"AdamW", &(const lc_adamw){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_ADAMAX(F) LC_FIELDS_RATE(F, 0.001) LC_FIELDS_BETAS(F, 0.999) LC_FIELDS_EPSILON(F) LC_FIELDS_OPTIMIZER(F, LC_NONE)
typedef struct lc_adamax { LC_FIRST LC_FIELDS_ADAMAX(LC_MEMBER) } lc_adamax;
#define LC_ADAMAX(...) ((lc_object){"Adamax", &(const lc_adamax){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_NADAM(F) LC_FIELDS_ADAMAX(F)
typedef struct lc_adamax lc_nadam;
#define LC_NADAM(...) ((lc_object){"Nadam", &(const lc_nadam){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_RMSPROP(F) \
    LC_FIELDS_RATE(F, 0.001) F(number, rho, "rho", 0.9) F(number, momentum, "momentum", 0) LC_FIELDS_EPSILON(F) F(yes, centered, "centered", 0) \
    LC_FIELDS_OPTIMIZER(F, LC_NONE)
typedef struct lc_rmsprop { LC_FIRST LC_FIELDS_RMSPROP(LC_MEMBER) } lc_rmsprop;
#define LC_RMSPROP(...) ((lc_object){"RMSprop", &(const lc_rmsprop){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_ADAGRAD(F) \
    LC_FIELDS_RATE(F, 0.001) F(number, initial_accumulator_value, "initial_accumulator_value", 0.1) LC_FIELDS_EPSILON(F) \
    LC_FIELDS_OPTIMIZER(F, LC_NONE)
typedef struct lc_adagrad { LC_FIRST LC_FIELDS_ADAGRAD(LC_MEMBER) } lc_adagrad;
#define LC_ADAGRAD(...) ((lc_object){"Adagrad", &(const lc_adagrad){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_ADADELTA(F) LC_FIELDS_RATE(F, 0.001) F(number, rho, "rho", 0.95) LC_FIELDS_EPSILON(F) LC_FIELDS_OPTIMIZER(F, LC_NONE)
typedef struct lc_adadelta { LC_FIRST LC_FIELDS_ADADELTA(LC_MEMBER) } lc_adadelta;
#define LC_ADADELTA(...) ((lc_object){"Adadelta", &(const lc_adadelta){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_FTRL(F) \
    LC_FIELDS_RATE(F, 0.001) F(number, learning_rate_power, "learning_rate_power", -0.5) \
    F(number, initial_accumulator_value, "initial_accumulator_value", 0.1) F(number, l1_regularization_strength, "l1_regularization_strength", 0) \
    F(number, l2_regularization_strength, "l2_regularization_strength", 0) \
    F(number, l2_shrinkage_regularization_strength, "l2_shrinkage_regularization_strength", 0) F(number, beta, "beta", 0) \
    LC_FIELDS_OPTIMIZER(F, LC_NONE)
typedef struct lc_ftrl { LC_FIRST LC_FIELDS_FTRL(LC_MEMBER) } lc_ftrl;
#define LC_FTRL(...) ((lc_object){"Ftrl", &(const lc_ftrl){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_LION(F) LC_FIELDS_RATE(F, 0.001) LC_FIELDS_BETAS(F, 0.99) LC_FIELDS_OPTIMIZER(F, LC_NONE)
typedef struct lc_lion { LC_FIRST LC_FIELDS_LION(LC_MEMBER) } lc_lion;
#define LC_LION(...) ((lc_object){"Lion", &(const lc_lion){.first = 0, __VA_ARGS__}, NULL})

/* ---- learning rate schedules: the step counts batches ------------------------------------------------------------------- */

#define LC_FIELDS_DECAY(F) F(number, initial_learning_rate, "initial_learning_rate", 0) F(integer, decay_steps, "decay_steps", 0)

#define LC_FIELDS_EXPONENTIAL_DECAY(F) \
    LC_FIELDS_DECAY(F) F(number, decay_rate, "decay_rate", 0) F(yes, staircase, "staircase", 0) F(text, name, "name", "ExponentialDecay")
typedef struct lc_exponential_decay { LC_FIRST LC_FIELDS_EXPONENTIAL_DECAY(LC_MEMBER) } lc_exponential_decay;
#define LC_EXPONENTIAL_DECAY(...) ((lc_object){"ExponentialDecay", &(const lc_exponential_decay){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_INVERSE_TIME_DECAY(F) \
    LC_FIELDS_DECAY(F) F(number, decay_rate, "decay_rate", 0) F(yes, staircase, "staircase", 0) F(text, name, "name", "InverseTimeDecay")
typedef struct lc_exponential_decay lc_inverse_time_decay;
#define LC_INVERSE_TIME_DECAY(...) ((lc_object){"InverseTimeDecay", &(const lc_inverse_time_decay){.first = 0, __VA_ARGS__}, NULL})

/* One value more than boundaries: LC_PIECEWISE_CONSTANT_DECAY({1000, 2000}, {0.1, 0.01, 0.001}) */
#define LC_FIELDS_PIECEWISE_CONSTANT_DECAY(F) \
    F(numbers, boundaries, "boundaries", 0) F(numbers, values, "values", 0) F(text, name, "name", "PiecewiseConstant")
typedef struct lc_piecewise_constant_decay { LC_FIRST LC_FIELDS_PIECEWISE_CONSTANT_DECAY(LC_MEMBER) } lc_piecewise_constant_decay;
#define LC_PIECEWISE_CONSTANT_DECAY(...) ((lc_object){"PiecewiseConstantDecay", &(const lc_piecewise_constant_decay){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_POLYNOMIAL_DECAY(F) \
    LC_FIELDS_DECAY(F) F(number, end_learning_rate, "end_learning_rate", 0.0001) F(number, power, "power", 1) F(yes, cycle, "cycle", 0) \
    F(text, name, "name", "PolynomialDecay")
typedef struct lc_polynomial_decay { LC_FIRST LC_FIELDS_POLYNOMIAL_DECAY(LC_MEMBER) } lc_polynomial_decay;
#define LC_POLYNOMIAL_DECAY(...) ((lc_object){"PolynomialDecay", &(const lc_polynomial_decay){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_COSINE_DECAY(F) \
    LC_FIELDS_DECAY(F) F(number, alpha, "alpha", 0) F(number, warmup_target, "warmup_target", LC_NONE) \
    F(integer, warmup_steps, "warmup_steps", 0) F(text, name, "name", "CosineDecay")
typedef struct lc_cosine_decay { LC_FIRST LC_FIELDS_COSINE_DECAY(LC_MEMBER) } lc_cosine_decay;
#define LC_COSINE_DECAY(...) ((lc_object){"CosineDecay", &(const lc_cosine_decay){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_COSINE_DECAY_RESTARTS(F) \
    F(number, initial_learning_rate, "initial_learning_rate", 0) F(integer, first_decay_steps, "first_decay_steps", 0) \
    F(number, t_mul, "t_mul", 2) F(number, m_mul, "m_mul", 1) F(number, alpha, "alpha", 0) F(text, name, "name", "SGDRDecay")
typedef struct lc_cosine_decay_restarts { LC_FIRST LC_FIELDS_COSINE_DECAY_RESTARTS(LC_MEMBER) } lc_cosine_decay_restarts;
#define LC_COSINE_DECAY_RESTARTS(...) ((lc_object){"CosineDecayRestarts", &(const lc_cosine_decay_restarts){.first = 0, __VA_ARGS__}, NULL})

/* ---- losses, and the metrics that are their means over the samples ------------------------------------------------------ */

/* Those without a macro here have no options that are not in lc_mean_squared_error: {"mae"}, {"poisson"}. reduction: "sum_over_batch_size",
 * "sum", "mean_with_sample_weight"; "none": the slopes are those of the sum, what is shown is the mean, as in Keras. A metric has none. */
#define LC_FIELDS_LOSS(F) F(text, reduction, "reduction", "sum_over_batch_size") F(title, name, "name", NULL)
#define LC_FIELDS_METRIC(F) F(title, name, "name", NULL)

typedef struct lc_mean_squared_error { LC_FIRST LC_FIELDS_LOSS(LC_MEMBER) } lc_mean_squared_error;
#define LC_MEAN_SQUARED_ERROR(...) ((lc_object){"MeanSquaredError", &(const lc_mean_squared_error){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_HUBER(F) F(number, delta, "delta", 1)
typedef struct lc_huber { LC_FIRST LC_FIELDS_HUBER(LC_MEMBER) LC_FIELDS_LOSS(LC_MEMBER) } lc_huber;
#define LC_HUBER(...) ((lc_object){"Huber", &(const lc_huber){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_LABELS(F) F(yes, from_logits, "from_logits", 0) F(number, label_smoothing, "label_smoothing", 0)
#define LC_FIELDS_LAST_AXIS(F) F(integer, axis, "axis", -1)
#define LC_FIELDS_BINARY_CROSSENTROPY(F) LC_FIELDS_LABELS(F) LC_FIELDS_LAST_AXIS(F)
typedef struct lc_binary_crossentropy { LC_FIRST LC_FIELDS_BINARY_CROSSENTROPY(LC_MEMBER) LC_FIELDS_LOSS(LC_MEMBER) } lc_binary_crossentropy;
#define LC_BINARY_CROSSENTROPY(...) ((lc_object){"BinaryCrossentropy", &(const lc_binary_crossentropy){.first = 0, __VA_ARGS__}, NULL})
typedef struct lc_binary_crossentropy lc_categorical_crossentropy;
#define LC_CATEGORICAL_CROSSENTROPY(...) ((lc_object){"CategoricalCrossentropy", &(const lc_categorical_crossentropy){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_SPARSE_CATEGORICAL_CROSSENTROPY(F) \
    F(yes, from_logits, "from_logits", 0) F(whole, ignore_class, "ignore_class", LC_NONE) LC_FIELDS_LAST_AXIS(F)
typedef struct lc_sparse_categorical_crossentropy {
    LC_FIRST LC_FIELDS_SPARSE_CATEGORICAL_CROSSENTROPY(LC_MEMBER) LC_FIELDS_LOSS(LC_MEMBER)
} lc_sparse_categorical_crossentropy;
#define LC_SPARSE_CATEGORICAL_CROSSENTROPY(...) \
    ((lc_object){"SparseCategoricalCrossentropy", &(const lc_sparse_categorical_crossentropy){.first = 0, __VA_ARGS__}, NULL})

/* alphas: one for each class, up to 15 */
#define LC_FIELDS_CATEGORICAL_FOCAL(F) \
    F(number, alpha, "alpha", 0.25) F(numbers, alphas, "alpha", 0) F(number, gamma, "gamma", 2) LC_FIELDS_LABELS(F) LC_FIELDS_LAST_AXIS(F)
#define LC_FIELDS_BINARY_FOCAL(F) \
    F(yes, apply_class_balancing, "apply_class_balancing", 0) F(number, alpha, "alpha", 0.25) F(number, gamma, "gamma", 2) LC_FIELDS_LABELS(F) \
    LC_FIELDS_LAST_AXIS(F)
typedef struct lc_binary_focal_crossentropy { LC_FIRST LC_FIELDS_BINARY_FOCAL(LC_MEMBER) LC_FIELDS_LOSS(LC_MEMBER) } lc_binary_focal_crossentropy;
#define LC_BINARY_FOCAL_CROSSENTROPY(...) ((lc_object){"BinaryFocalCrossentropy", &(const lc_binary_focal_crossentropy){.first = 0, __VA_ARGS__}, NULL})
typedef struct lc_categorical_focal_crossentropy { LC_FIRST LC_FIELDS_CATEGORICAL_FOCAL(LC_MEMBER) LC_FIELDS_LOSS(LC_MEMBER) } lc_categorical_focal_crossentropy;
#define LC_CATEGORICAL_FOCAL_CROSSENTROPY(...) \
    ((lc_object){"CategoricalFocalCrossentropy", &(const lc_categorical_focal_crossentropy){.first = 0, __VA_ARGS__}, NULL})

typedef struct lc_cosine_similarity { LC_FIRST LC_FIELDS_LAST_AXIS(LC_MEMBER) LC_FIELDS_LOSS(LC_MEMBER) } lc_cosine_similarity;
#define LC_COSINE_SIMILARITY(...) ((lc_object){"CosineSimilarity", &(const lc_cosine_similarity){.first = 0, __VA_ARGS__}, NULL})

/* Labels are classes; the nearer q is to 1, the less a wrong label weighs. */
#define LC_FIELDS_GENERALIZED_CROSS_ENTROPY(F) F(number, q, "q", 0.5)
typedef struct lc_categorical_generalized_cross_entropy {
    LC_FIRST LC_FIELDS_GENERALIZED_CROSS_ENTROPY(LC_MEMBER) LC_FIELDS_LOSS(LC_MEMBER)
} lc_categorical_generalized_cross_entropy;
#define LC_CATEGORICAL_GENERALIZED_CROSS_ENTROPY(...) \
    ((lc_object){"CategoricalGeneralizedCrossEntropy", &(const lc_categorical_generalized_cross_entropy){.first = 0, __VA_ARGS__}, NULL})

/* Of a whole batch; axis: all dimensions but the batch, {1, 2, 3}: of each sample. */
#define LC_FIELDS_DICE(F) F(dims, axis, "axis", LC_NONE)
typedef struct lc_dice { LC_FIRST LC_FIELDS_DICE(LC_MEMBER) LC_FIELDS_LOSS(LC_MEMBER) } lc_dice;
#define LC_DICE(...) ((lc_object){"Dice", &(const lc_dice){.first = 0, __VA_ARGS__}, NULL})

/* Of a whole batch. alpha weighs what is missed, beta what is wrongly found, as in Keras 3.15 (its 3.16 turns them round). */
#define LC_FIELDS_TVERSKY(F) F(number, alpha, "alpha", 0.5) F(number, beta, "beta", 0.5) F(dims, axis, "axis", LC_NONE)
typedef struct lc_tversky { LC_FIRST LC_FIELDS_TVERSKY(LC_MEMBER) LC_FIELDS_LOSS(LC_MEMBER) } lc_tversky;
#define LC_TVERSKY(...) ((lc_object){"Tversky", &(const lc_tversky){.first = 0, __VA_ARGS__}, NULL})

/* ---- metrics ------------------------------------------------------------------------------------------------------------ */

/* "accuracy" is the binary, the categorical or the sparse categorical one, as the labels are. */
#define LC_FIELDS_BINARY_ACCURACY(F) F(number, threshold, "threshold", 0.5)
typedef struct lc_binary_accuracy { LC_FIRST LC_FIELDS_BINARY_ACCURACY(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_binary_accuracy;
#define LC_BINARY_ACCURACY(...) ((lc_object){"BinaryAccuracy", &(const lc_binary_accuracy){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_TOP_K(F) F(integer, k, "k", 5)
typedef struct lc_top_k_categorical_accuracy { LC_FIRST LC_FIELDS_TOP_K(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_top_k_categorical_accuracy;
#define LC_TOP_K_CATEGORICAL_ACCURACY(...) ((lc_object){"TopKCategoricalAccuracy", &(const lc_top_k_categorical_accuracy){.first = 0, __VA_ARGS__}, NULL})
typedef struct lc_top_k_categorical_accuracy lc_sparse_top_k_categorical_accuracy;
#define LC_SPARSE_TOP_K_CATEGORICAL_ACCURACY(...) \
    ((lc_object){"SparseTopKCategoricalAccuracy", &(const lc_sparse_top_k_categorical_accuracy){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_CONFUSION(F) F(numbers, thresholds, "thresholds", 0)
typedef struct lc_true_positives { LC_FIRST LC_FIELDS_CONFUSION(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_true_positives;
#define LC_TRUE_POSITIVES(...) ((lc_object){"TruePositives", &(const lc_true_positives){.first = 0, __VA_ARGS__}, NULL})
#define LC_FALSE_POSITIVES(...) ((lc_object){"FalsePositives", &(const lc_true_positives){.first = 0, __VA_ARGS__}, NULL})
#define LC_TRUE_NEGATIVES(...) ((lc_object){"TrueNegatives", &(const lc_true_positives){.first = 0, __VA_ARGS__}, NULL})
#define LC_FALSE_NEGATIVES(...) ((lc_object){"FalseNegatives", &(const lc_true_positives){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_PRECISION(F) \
    F(numbers, thresholds, "thresholds", 0) F(integer, top_k, "top_k", LC_NONE) F(whole, class_id, "class_id", LC_NONE)
typedef struct lc_precision { LC_FIRST LC_FIELDS_PRECISION(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_precision;
#define LC_PRECISION(...) ((lc_object){"Precision", &(const lc_precision){.first = 0, __VA_ARGS__}, NULL})
typedef struct lc_precision lc_recall;
#define LC_RECALL(...) ((lc_object){"Recall", &(const lc_recall){.first = 0, __VA_ARGS__}, NULL})

/* multi_label: the mean of the AUCs of the output's numbers, by label_weights where they are given; without it these weigh the numbers.
 * curve: "ROC", "PR"; summation_method: "interpolation", "majoring", "minoring" */
#define LC_FIELDS_AUC(F) \
    F(integer, num_thresholds, "num_thresholds", 200) F(text, curve, "curve", "ROC") \
    F(text, summation_method, "summation_method", "interpolation") F(numbers, thresholds, "thresholds", 0) \
    F(yes, from_logits, "from_logits", 0) F(yes, multi_label, "multi_label", 0) F(integer, num_labels, "num_labels", LC_NONE) \
    F(numbers, label_weights, "label_weights", 0)
typedef struct lc_auc { LC_FIRST LC_FIELDS_AUC(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_auc;
#define LC_AUC(...) ((lc_object){"AUC", &(const lc_auc){.first = 0, __VA_ARGS__}, NULL})

/* The first is what is held: LC_SENSITIVITY_AT_SPECIFICITY(0.9) */
#define LC_FIELDS_AT(F, held) \
    F(number, value, held, 0) F(integer, num_thresholds, "num_thresholds", 200) F(whole, class_id, "class_id", LC_NONE)
#define LC_FIELDS_SENSITIVITY_AT_SPECIFICITY(F) LC_FIELDS_AT(F, "specificity")
#define LC_FIELDS_SPECIFICITY_AT_SENSITIVITY(F) LC_FIELDS_AT(F, "sensitivity")
#define LC_FIELDS_PRECISION_AT_RECALL(F) LC_FIELDS_AT(F, "recall")
#define LC_FIELDS_RECALL_AT_PRECISION(F) LC_FIELDS_AT(F, "precision")
typedef struct lc_at { LC_FIRST LC_FIELDS_SENSITIVITY_AT_SPECIFICITY(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_at;
#define LC_SENSITIVITY_AT_SPECIFICITY(...) ((lc_object){"SensitivityAtSpecificity", &(const lc_at){.first = 0, __VA_ARGS__}, NULL})
#define LC_SPECIFICITY_AT_SENSITIVITY(...) ((lc_object){"SpecificityAtSensitivity", &(const lc_at){.first = 0, __VA_ARGS__}, NULL})
#define LC_PRECISION_AT_RECALL(...) ((lc_object){"PrecisionAtRecall", &(const lc_at){.first = 0, __VA_ARGS__}, NULL})
#define LC_RECALL_AT_PRECISION(...) ((lc_object){"RecallAtPrecision", &(const lc_at){.first = 0, __VA_ARGS__}, NULL})

/* average: "micro", "macro", "weighted"; without one the result is the list of the classes, and their mean is what is shown. */
#define LC_FIELDS_F1_SCORE(F) F(text, average, "average", NULL) F(number, threshold, "threshold", LC_NONE)
#define LC_FIELDS_FBETA_SCORE(F) F(number, beta, "beta", 1) LC_FIELDS_F1_SCORE(F)
typedef struct lc_fbeta_score { LC_FIRST LC_FIELDS_FBETA_SCORE(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_fbeta_score;
#define LC_FBETA_SCORE(...) ((lc_object){"FBetaScore", &(const lc_fbeta_score){.first = 0, __VA_ARGS__}, NULL})
typedef struct lc_f1_score { LC_FIRST LC_FIELDS_F1_SCORE(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_f1_score;
#define LC_F1_SCORE(...) ((lc_object){"F1Score", &(const lc_f1_score){.first = 0, __VA_ARGS__}, NULL})

/* dense_true, dense_pred: one number a class instead of the class (Keras: sparse_y_true=False, sparse_y_pred=False). */
#define LC_FIELDS_MEAN_IOU(F) \
    F(integer, num_classes, "num_classes", 0) F(whole, ignore_class, "ignore_class", LC_NONE) F(no, dense_true, "sparse_y_true", 0) \
    F(no, dense_pred, "sparse_y_pred", 0) LC_FIELDS_LAST_AXIS(F)
typedef struct lc_mean_iou { LC_FIRST LC_FIELDS_MEAN_IOU(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_mean_iou;
#define LC_MEAN_IOU(...) ((lc_object){"MeanIoU", &(const lc_mean_iou){.first = 0, __VA_ARGS__}, NULL})

/* The same of some classes: target_class_ids ({-0.0, 2}: 0 and 2). BinaryIoU: of the classes 0 and 1 that a threshold makes; OneHot...: labels are
 * one number a class. */
#define LC_FIELDS_IOU(F) \
    F(integer, num_classes, "num_classes", 0) F(ids, target_class_ids, "target_class_ids", "[]") F(whole, ignore_class, "ignore_class", LC_NONE) \
    F(no, dense_true, "sparse_y_true", 0) F(no, dense_pred, "sparse_y_pred", 0) LC_FIELDS_LAST_AXIS(F)
typedef struct lc_iou { LC_FIRST LC_FIELDS_IOU(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_iou;
#define LC_IOU(...) ((lc_object){"IoU", &(const lc_iou){.first = 0, __VA_ARGS__}, NULL})
#define LC_FIELDS_BINARY_IOU(F) F(ids, target_class_ids, "target_class_ids", "[0, 1]") F(number, threshold, "threshold", 0.5)
typedef struct lc_binary_iou { LC_FIRST LC_FIELDS_BINARY_IOU(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_binary_iou;
#define LC_BINARY_IOU(...) ((lc_object){"BinaryIoU", &(const lc_binary_iou){.first = 0, __VA_ARGS__}, NULL})
#define LC_FIELDS_ONE_HOT(F) \
    F(whole, ignore_class, "ignore_class", LC_NONE) F(yes, sparse_pred, "sparse_y_pred", 0) LC_FIELDS_LAST_AXIS(F)
#define LC_FIELDS_ONE_HOT_IOU(F) F(integer, num_classes, "num_classes", 0) F(ids, target_class_ids, "target_class_ids", "[]") LC_FIELDS_ONE_HOT(F)
typedef struct lc_one_hot_iou { LC_FIRST LC_FIELDS_ONE_HOT_IOU(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_one_hot_iou;
#define LC_ONE_HOT_IOU(...) ((lc_object){"OneHotIoU", &(const lc_one_hot_iou){.first = 0, __VA_ARGS__}, NULL})
#define LC_FIELDS_ONE_HOT_MEAN_IOU(F) F(integer, num_classes, "num_classes", 0) LC_FIELDS_ONE_HOT(F)
typedef struct lc_one_hot_mean_iou { LC_FIRST LC_FIELDS_ONE_HOT_MEAN_IOU(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_one_hot_mean_iou;
#define LC_ONE_HOT_MEAN_IOU(...) ((lc_object){"OneHotMeanIoU", &(const lc_one_hot_mean_iou){.first = 0, __VA_ARGS__}, NULL})

/* class_aggregation: "uniform_average", "variance_weighted_average"; "none": the list of the outputs, and their mean is what is shown. */
#define LC_FIELDS_R2_SCORE(F) \
    F(text, class_aggregation, "class_aggregation", "uniform_average") F(integer, num_regressors, "num_regressors", 0)
typedef struct lc_r2_score { LC_FIRST LC_FIELDS_R2_SCORE(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_r2_score;
#define LC_R2_SCORE(...) ((lc_object){"R2Score", &(const lc_r2_score){.first = 0, __VA_ARGS__}, NULL})
/* Of the numbers of a row. */
typedef struct lc_correlation { LC_FIRST LC_FIELDS_LAST_AXIS(LC_MEMBER) LC_FIELDS_METRIC(LC_MEMBER) } lc_correlation;
#define LC_PEARSON_CORRELATION(...) ((lc_object){"PearsonCorrelation", &(const lc_correlation){.first = 0, __VA_ARGS__}, NULL})
#define LC_CONCORDANCE_CORRELATION(...) ((lc_object){"ConcordanceCorrelation", &(const lc_correlation){.first = 0, __VA_ARGS__}, NULL})

/* ---- initialisers ------------------------------------------------------------------------------------------------------- */

/* The same seed gives the same numbers; without one they follow from that of the model and the variable. */
#define LC_FIELDS_SEED(F) F(whole, seed, "seed", LC_NONE)
#define LC_FIELDS_FAN(F) LC_FIELDS_SEED(F) F(fixed, first, "input_axes", "null") F(fixed, first, "output_axes", "null")
typedef struct lc_seeded { LC_FIRST LC_FIELDS_SEED(LC_MEMBER) } lc_seeded;
#define LC_GLOROT_UNIFORM(...) ((lc_object){"GlorotUniform", &(const lc_seeded){.first = 0, __VA_ARGS__}, NULL})
#define LC_GLOROT_NORMAL(...) ((lc_object){"GlorotNormal", &(const lc_seeded){.first = 0, __VA_ARGS__}, NULL})
#define LC_HE_UNIFORM(...) ((lc_object){"HeUniform", &(const lc_seeded){.first = 0, __VA_ARGS__}, NULL})
#define LC_HE_NORMAL(...) ((lc_object){"HeNormal", &(const lc_seeded){.first = 0, __VA_ARGS__}, NULL})
#define LC_LECUN_UNIFORM(...) ((lc_object){"LecunUniform", &(const lc_seeded){.first = 0, __VA_ARGS__}, NULL})
#define LC_LECUN_NORMAL(...) ((lc_object){"LecunNormal", &(const lc_seeded){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_RANDOM_NORMAL(F) F(number, mean, "mean", 0) F(number, stddev, "stddev", 0.05) LC_FIELDS_SEED(F)
typedef struct lc_random_normal { LC_FIRST LC_FIELDS_RANDOM_NORMAL(LC_MEMBER) } lc_random_normal;
#define LC_RANDOM_NORMAL(...) ((lc_object){"RandomNormal", &(const lc_random_normal){.first = 0, __VA_ARGS__}, NULL})
#define LC_TRUNCATED_NORMAL(...) ((lc_object){"TruncatedNormal", &(const lc_random_normal){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_RANDOM_UNIFORM(F) F(number, minval, "minval", -0.05) F(number, maxval, "maxval", 0.05) LC_FIELDS_SEED(F)
typedef struct lc_random_uniform { LC_FIRST LC_FIELDS_RANDOM_UNIFORM(LC_MEMBER) } lc_random_uniform;
#define LC_RANDOM_UNIFORM(...) ((lc_object){"RandomUniform", &(const lc_random_uniform){.first = 0, __VA_ARGS__}, NULL})

/* mode: "fan_in", "fan_out", "fan_avg"; distribution: "truncated_normal", "untruncated_normal", "uniform" */
#define LC_FIELDS_VARIANCE_SCALING(F) \
    F(number, scale, "scale", 1) F(text, mode, "mode", "fan_in") F(text, distribution, "distribution", "truncated_normal") LC_FIELDS_FAN(F)
typedef struct lc_variance_scaling { LC_FIRST LC_FIELDS_VARIANCE_SCALING(LC_MEMBER) } lc_variance_scaling;
#define LC_VARIANCE_SCALING(...) ((lc_object){"VarianceScaling", &(const lc_variance_scaling){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_ORTHOGONAL(F) F(number, gain, "gain", 1) LC_FIELDS_SEED(F)
typedef struct lc_orthogonal { LC_FIRST LC_FIELDS_ORTHOGONAL(LC_MEMBER) } lc_orthogonal;
#define LC_ORTHOGONAL(...) ((lc_object){"Orthogonal", &(const lc_orthogonal){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_CONSTANT(F) F(number, value, "value", 0)
typedef struct lc_constant_value { LC_FIRST LC_FIELDS_CONSTANT(LC_MEMBER) } lc_constant_value;
#define LC_CONSTANT(...) ((lc_object){"Constant", &(const lc_constant_value){.first = 0, __VA_ARGS__}, NULL})
#define LC_FIELDS_IDENTITY(F) F(number, value, "gain", 1)
#define LC_IDENTITY_MATRIX(...) ((lc_object){"Identity", &(const lc_constant_value){.first = 0, __VA_ARGS__}, NULL})

/* ---- regularisers and constraints --------------------------------------------------------------------------------------- */

#define LC_FIELDS_L1(F) F(number, l1, "l1", 0.01)
#define LC_FIELDS_L2(F) F(number, l2, "l2", 0.01)
#define LC_FIELDS_L1L2(F) F(number, l1, "l1", 0) F(number, l2, "l2", 0)
typedef struct lc_l1l2 { LC_FIRST LC_FIELDS_L1L2(LC_MEMBER) } lc_l1l2;
typedef struct lc_l1 { LC_FIRST LC_FIELDS_L1(LC_MEMBER) } lc_l1;
typedef struct lc_l2 { LC_FIRST LC_FIELDS_L2(LC_MEMBER) } lc_l2;
#define LC_L1(...) ((lc_object){"L1", &(const lc_l1){.first = 0, __VA_ARGS__}, NULL})
#define LC_L2(...) ((lc_object){"L2", &(const lc_l2){.first = 0, __VA_ARGS__}, NULL})
#define LC_L1L2(...) ((lc_object){"L1L2", &(const lc_l1l2){.first = 0, __VA_ARGS__}, NULL})

#define LC_FIELDS_ORTHOGONAL_REGULARIZER(F) F(number, factor, "factor", 0.01) F(text, mode, "mode", "rows")
typedef struct lc_orthogonal_regularizer { LC_FIRST LC_FIELDS_ORTHOGONAL_REGULARIZER(LC_MEMBER) } lc_orthogonal_regularizer;
#define LC_ORTHOGONAL_REGULARIZER(...) ((lc_object){"OrthogonalRegularizer", &(const lc_orthogonal_regularizer){.first = 0, __VA_ARGS__}, NULL})

/* axes: those that a norm is taken over; none: the first. The axes of all but the last of a convolution's kernel: {0, 1, 2} */
#define LC_FIELDS_MAX_NORM(F) F(number, max_value, "max_value", 2) F(axes, axes, "axis", 0)
typedef struct lc_max_norm { LC_FIRST LC_FIELDS_MAX_NORM(LC_MEMBER) } lc_max_norm;
#define LC_MAX_NORM(...) ((lc_object){"MaxNorm", &(const lc_max_norm){.first = 0, __VA_ARGS__}, NULL})
#define LC_FIELDS_UNIT_NORM(F) F(axes, axes, "axis", 0)
typedef struct lc_unit_norm { LC_FIRST LC_FIELDS_UNIT_NORM(LC_MEMBER) } lc_unit_norm;
#define LC_UNIT_NORM(...) ((lc_object){"UnitNorm", &(const lc_unit_norm){.first = 0, __VA_ARGS__}, NULL})
#define LC_FIELDS_MIN_MAX_NORM(F) \
    F(number, min_value, "min_value", 0) F(number, max_value, "max_value", 1) F(number, rate, "rate", 1) F(axes, axes, "axis", 0)
typedef struct lc_min_max_norm { LC_FIRST LC_FIELDS_MIN_MAX_NORM(LC_MEMBER) } lc_min_max_norm;
#define LC_MIN_MAX_NORM(...) ((lc_object){"MinMaxNorm", &(const lc_min_max_norm){.first = 0, __VA_ARGS__}, NULL})

/* Zeros, Ones, NonNeg: nothing to choose. */
#define LC_FIELDS_NOTHING(F)
typedef struct lc_nothing { LC_FIRST } lc_nothing;

/* clang-format on */
#endif
