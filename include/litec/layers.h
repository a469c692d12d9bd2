/*
 * litec/layers.h: the layers of Keras with their arguments and defaults (object.h says how they are written). What must be given comes first
 * and needs no name: LC_DENSE(128), LC_CONV2D(32, {3, 3}, .activation = "relu"), LC_MAX_POOLING2D(), LC_INPUT({28, 28}).
 *
 * A layer within a layer is an object as any other: LC_BIDIRECTIONAL(LC_LSTM(64)).
 */
#ifndef LITEC_LAYERS_H
#define LITEC_LAYERS_H

#include "litec/object.h"

/* clang-format off */

#define LC_LAYER_OBJECT(class, type, ...) ((lc_object){class, &(const type){.first = 0, __VA_ARGS__}, NULL})

/* ---- what many layers have ---------------------------------------------------------------------------------------------- */

/* Each layer: a frozen one is not trained. */
#define LC_FIELDS_LAYER(F) F(text, name, "name", NULL) F(no, frozen, "trainable", 0) F(policy, dtype, "dtype", "float32")
#define LC_FIELDS_WEIGHT(F, what, otherwise) F(object, what##_initializer, #what "_initializer", otherwise) \
    F(object, what##_regularizer, #what "_regularizer", None) F(object, what##_constraint, #what "_constraint", None)
#define LC_FIELDS_BIAS(F) F(no, no_bias, "use_bias", 0) LC_FIELDS_WEIGHT(F, bias, Zeros)
#define LC_FIELDS_FORMAT(F) F(text, data_format, "data_format", "channels_last")
/* Instead of .activation, a layer that has arguments: .activation_object = LC_LEAKY_RELU(0.2) */
#define LC_FIELDS_ACTIVATION_OBJECT(F) F(object, activation_object, "activation", None)
/* Instead of .axis, several: .axes = {1, 2} or {-2, -1} */
#define LC_FIELDS_AXES(F) F(dims, axes, "axis", LC_NONE)
#define LC_FIELDS_ACTIVITY(F) F(object, activity_regularizer, "activity_regularizer", None)

/* ---- inputs, dense ------------------------------------------------------------------------------------------------------ */

/* The shape is without the batch, -1 where it is open. */
#define LC_FIELDS_INPUT(F) \
    F(shape, shape, "batch_shape", 0) F(text, dtype, "dtype", "float32") F(text, name, "name", NULL) \
    F(fixed, first, "sparse", "false") F(fixed, first, "ragged", "false") F(fixed, first, "optional", "false")
typedef struct lc_input_layer { LC_FIRST LC_FIELDS_INPUT(LC_MEMBER) } lc_input_layer;
#define LC_INPUT(...) LC_LAYER_OBJECT("InputLayer", lc_input_layer, __VA_ARGS__)

#define LC_FIELDS_DENSE(F) \
    F(integer, units, "units", 0) F(text, activation, "activation", "linear") LC_FIELDS_WEIGHT(F, kernel, GlorotUniform) LC_FIELDS_BIAS(F) \
    F(extra, activity_regularizer, "activity_regularizer", None) F(fixed, first, "quantization_config", "null") LC_FIELDS_LAYER(F) \
    LC_FIELDS_ACTIVATION_OBJECT(F)
typedef struct lc_dense_layer { LC_FIRST LC_FIELDS_DENSE(LC_MEMBER) } lc_dense_layer;
#define LC_DENSE(...) LC_LAYER_OBJECT("Dense", lc_dense_layer, __VA_ARGS__)

#define LC_FIELDS_EMBEDDING(F) \
    F(integer, input_dim, "input_dim", 0) F(integer, output_dim, "output_dim", 0) LC_FIELDS_WEIGHT(F, embeddings, RandomUniform) \
    LC_FIELDS_ACTIVITY(F) F(yes, mask_zero, "mask_zero", 0) F(fixed, first, "quantization_config", "null") LC_FIELDS_LAYER(F)
typedef struct lc_embedding_layer { LC_FIRST LC_FIELDS_EMBEDDING(LC_MEMBER) } lc_embedding_layer;
#define LC_EMBEDDING(...) LC_LAYER_OBJECT("Embedding", lc_embedding_layer, __VA_ARGS__)

/* ---- convolution -------------------------------------------------------------------------------------------------------- */

#define LC_FIELDS_WINDOW(F, kind) F(kind, kernel_size, "kernel_size", 0) F(kind, strides, "strides", 1) F(text, padding, "padding", "valid")
#define LC_FIELDS_ACTIVE(F, kind) F(text, activation, "activation", "linear") F(kind, dilation_rate, "dilation_rate", 1)
#define LC_FIELDS_CONV(F, kind) \
    F(integer, filters, "filters", 0) LC_FIELDS_WINDOW(F, kind) LC_FIELDS_ACTIVE(F, kind) F(integer, groups, "groups", 1) \
    LC_FIELDS_WEIGHT(F, kernel, GlorotUniform) LC_FIELDS_BIAS(F) LC_FIELDS_ACTIVITY(F) LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F) \
    LC_FIELDS_ACTIVATION_OBJECT(F)
#define LC_FIELDS_CONV1D(F) LC_FIELDS_CONV(F, single)
#define LC_FIELDS_CONV2D(F) LC_FIELDS_CONV(F, pair)
#define LC_FIELDS_CONV3D(F) LC_FIELDS_CONV(F, triple)
typedef struct lc_conv1d_layer { LC_FIRST LC_FIELDS_CONV1D(LC_MEMBER) } lc_conv1d_layer;
typedef struct lc_conv2d_layer { LC_FIRST LC_FIELDS_CONV2D(LC_MEMBER) } lc_conv2d_layer;
typedef struct lc_conv3d_layer { LC_FIRST LC_FIELDS_CONV3D(LC_MEMBER) } lc_conv3d_layer;
#define LC_CONV1D(...) LC_LAYER_OBJECT("Conv1D", lc_conv1d_layer, __VA_ARGS__)
#define LC_CONV2D(...) LC_LAYER_OBJECT("Conv2D", lc_conv2d_layer, __VA_ARGS__)
#define LC_CONV3D(...) LC_LAYER_OBJECT("Conv3D", lc_conv3d_layer, __VA_ARGS__)

#define LC_FIELDS_CONV_TRANSPOSE(F, kind) \
    F(integer, filters, "filters", 0) LC_FIELDS_WINDOW(F, kind) LC_FIELDS_ACTIVE(F, kind) F(kind, output_padding, "output_padding", LC_NONE) \
    LC_FIELDS_WEIGHT(F, kernel, GlorotUniform) LC_FIELDS_BIAS(F) LC_FIELDS_ACTIVITY(F) LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F) \
    LC_FIELDS_ACTIVATION_OBJECT(F)
#define LC_FIELDS_CONV1D_TRANSPOSE(F) LC_FIELDS_CONV_TRANSPOSE(F, single)
#define LC_FIELDS_CONV2D_TRANSPOSE(F) LC_FIELDS_CONV_TRANSPOSE(F, pair)
#define LC_FIELDS_CONV3D_TRANSPOSE(F) LC_FIELDS_CONV_TRANSPOSE(F, triple)
typedef struct lc_conv1d_transpose_layer { LC_FIRST LC_FIELDS_CONV1D_TRANSPOSE(LC_MEMBER) } lc_conv1d_transpose_layer;
typedef struct lc_conv2d_transpose_layer { LC_FIRST LC_FIELDS_CONV2D_TRANSPOSE(LC_MEMBER) } lc_conv2d_transpose_layer;
typedef struct lc_conv3d_transpose_layer { LC_FIRST LC_FIELDS_CONV3D_TRANSPOSE(LC_MEMBER) } lc_conv3d_transpose_layer;
#define LC_CONV1D_TRANSPOSE(...) LC_LAYER_OBJECT("Conv1DTranspose", lc_conv1d_transpose_layer, __VA_ARGS__)
#define LC_CONV2D_TRANSPOSE(...) LC_LAYER_OBJECT("Conv2DTranspose", lc_conv2d_transpose_layer, __VA_ARGS__)
#define LC_CONV3D_TRANSPOSE(...) LC_LAYER_OBJECT("Conv3DTranspose", lc_conv3d_transpose_layer, __VA_ARGS__)

#define LC_FIELDS_DEPTHWISE_CONV(F, kind) \
    LC_FIELDS_WINDOW(F, kind) LC_FIELDS_ACTIVE(F, kind) F(integer, depth_multiplier, "depth_multiplier", 1) \
    LC_FIELDS_WEIGHT(F, depthwise, GlorotUniform) LC_FIELDS_BIAS(F) LC_FIELDS_ACTIVITY(F) LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F)
#define LC_FIELDS_DEPTHWISE_CONV1D(F) LC_FIELDS_DEPTHWISE_CONV(F, single)
#define LC_FIELDS_DEPTHWISE_CONV2D(F) LC_FIELDS_DEPTHWISE_CONV(F, pair)
typedef struct lc_depthwise_conv1d_layer { LC_FIRST LC_FIELDS_DEPTHWISE_CONV1D(LC_MEMBER) } lc_depthwise_conv1d_layer;
typedef struct lc_depthwise_conv2d_layer { LC_FIRST LC_FIELDS_DEPTHWISE_CONV2D(LC_MEMBER) } lc_depthwise_conv2d_layer;
#define LC_DEPTHWISE_CONV1D(...) LC_LAYER_OBJECT("DepthwiseConv1D", lc_depthwise_conv1d_layer, __VA_ARGS__)
#define LC_DEPTHWISE_CONV2D(...) LC_LAYER_OBJECT("DepthwiseConv2D", lc_depthwise_conv2d_layer, __VA_ARGS__)

#define LC_FIELDS_SEPARABLE_CONV(F, kind) \
    F(integer, filters, "filters", 0) LC_FIELDS_WINDOW(F, kind) LC_FIELDS_ACTIVE(F, kind) F(integer, depth_multiplier, "depth_multiplier", 1) \
    LC_FIELDS_WEIGHT(F, depthwise, GlorotUniform) LC_FIELDS_WEIGHT(F, pointwise, GlorotUniform) LC_FIELDS_BIAS(F) LC_FIELDS_ACTIVITY(F) \
    LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F)
#define LC_FIELDS_SEPARABLE_CONV1D(F) LC_FIELDS_SEPARABLE_CONV(F, single)
#define LC_FIELDS_SEPARABLE_CONV2D(F) LC_FIELDS_SEPARABLE_CONV(F, pair)
typedef struct lc_separable_conv1d_layer { LC_FIRST LC_FIELDS_SEPARABLE_CONV1D(LC_MEMBER) } lc_separable_conv1d_layer;
typedef struct lc_separable_conv2d_layer { LC_FIRST LC_FIELDS_SEPARABLE_CONV2D(LC_MEMBER) } lc_separable_conv2d_layer;
#define LC_SEPARABLE_CONV1D(...) LC_LAYER_OBJECT("SeparableConv1D", lc_separable_conv1d_layer, __VA_ARGS__)
#define LC_SEPARABLE_CONV2D(...) LC_LAYER_OBJECT("SeparableConv2D", lc_separable_conv2d_layer, __VA_ARGS__)

/* ---- normalisation ------------------------------------------------------------------------------------------------------ */

#define LC_FIELDS_CENTRED(F) \
    F(no, no_center, "center", 0) F(no, no_scale, "scale", 0) LC_FIELDS_WEIGHT(F, beta, Zeros) LC_FIELDS_WEIGHT(F, gamma, Ones)
#define LC_FIELDS_BATCH_NORMALIZATION(F) \
    F(integer, axis, "axis", -1) F(number, momentum, "momentum", 0.99) F(number, epsilon, "epsilon", 1e-3) LC_FIELDS_CENTRED(F) \
    F(object, moving_mean_initializer, "moving_mean_initializer", Zeros) F(object, moving_variance_initializer, "moving_variance_initializer", Ones) \
    F(fixed, first, "synchronized", "false") F(fixed, first, "renorm", "false") F(fixed, first, "renorm_clipping", "null") \
    F(fixed, first, "renorm_momentum", "0.99") LC_FIELDS_LAYER(F)
typedef struct lc_batch_normalization_layer { LC_FIRST LC_FIELDS_BATCH_NORMALIZATION(LC_MEMBER) } lc_batch_normalization_layer;
#define LC_BATCH_NORMALIZATION(...) LC_LAYER_OBJECT("BatchNormalization", lc_batch_normalization_layer, __VA_ARGS__)

#define LC_FIELDS_LAYER_NORMALIZATION(F) \
    F(integer, axis, "axis", -1) F(number, epsilon, "epsilon", 1e-3) LC_FIELDS_CENTRED(F) F(fixed, first, "rms_scaling", "false") \
    LC_FIELDS_LAYER(F) LC_FIELDS_AXES(F)
typedef struct lc_layer_normalization_layer { LC_FIRST LC_FIELDS_LAYER_NORMALIZATION(LC_MEMBER) } lc_layer_normalization_layer;
#define LC_LAYER_NORMALIZATION(...) LC_LAYER_OBJECT("LayerNormalization", lc_layer_normalization_layer, __VA_ARGS__)

#define LC_FIELDS_GROUP_NORMALIZATION(F) \
    F(integer, groups, "groups", 32) F(integer, axis, "axis", -1) F(number, epsilon, "epsilon", 1e-3) LC_FIELDS_CENTRED(F) LC_FIELDS_LAYER(F)
typedef struct lc_group_normalization_layer { LC_FIRST LC_FIELDS_GROUP_NORMALIZATION(LC_MEMBER) } lc_group_normalization_layer;
#define LC_GROUP_NORMALIZATION(...) LC_LAYER_OBJECT("GroupNormalization", lc_group_normalization_layer, __VA_ARGS__)

#define LC_FIELDS_ONE_AXIS(F) F(integer, axis, "axis", -1) LC_FIELDS_LAYER(F)
typedef struct lc_axis_layer { LC_FIRST LC_FIELDS_ONE_AXIS(LC_MEMBER) } lc_axis_layer;
#define LC_UNIT_NORMALIZATION(...) LC_LAYER_OBJECT("UnitNormalization", lc_axis_layer, __VA_ARGS__)

#define LC_FIELDS_RMS_NORMALIZATION(F) F(integer, axis, "axis", -1) F(number, epsilon, "epsilon", 1e-6) LC_FIELDS_LAYER(F)
typedef struct lc_rms_normalization_layer { LC_FIRST LC_FIELDS_RMS_NORMALIZATION(LC_MEMBER) } lc_rms_normalization_layer;
#define LC_RMS_NORMALIZATION(...) LC_LAYER_OBJECT("RMSNormalization", lc_rms_normalization_layer, __VA_ARGS__)

/* The mean and variance of the data, where they are single numbers. */
#define LC_FIELDS_NORMALIZATION(F) \
    F(dims, axis, "axis", -1) F(yes, invert, "invert", 0) F(number, mean, "mean", LC_NONE) F(number, variance, "variance", LC_NONE) LC_FIELDS_LAYER(F)
typedef struct lc_normalization_layer { LC_FIRST LC_FIELDS_NORMALIZATION(LC_MEMBER) } lc_normalization_layer;
#define LC_NORMALIZATION(...) LC_LAYER_OBJECT("Normalization", lc_normalization_layer, __VA_ARGS__)

/* ---- recurrent ---------------------------------------------------------------------------------------------------------- */

#define LC_FIELDS_RECURRENT(F) \
    F(yes, return_sequences, "return_sequences", 0) F(yes, return_state, "return_state", 0) F(yes, go_backwards, "go_backwards", 0) \
    F(yes, stateful, "stateful", 0) F(yes, unroll, "unroll", 0) F(yes, zero_output_for_mask, "zero_output_for_mask", 0) \
    LC_FIELDS_WEIGHT(F, kernel, GlorotUniform) LC_FIELDS_WEIGHT(F, recurrent, Orthogonal) LC_FIELDS_BIAS(F) LC_FIELDS_ACTIVITY(F) \
    F(number, dropout, "dropout", 0) F(number, recurrent_dropout, "recurrent_dropout", 0)
#define LC_FIELDS_LSTM(F) \
    F(integer, units, "units", 0) F(text, activation, "activation", "tanh") F(text, recurrent_activation, "recurrent_activation", "sigmoid") \
    LC_FIELDS_RECURRENT(F) F(no, no_unit_forget_bias, "unit_forget_bias", 0) F(whole, seed, "seed", LC_NONE) LC_FIELDS_LAYER(F)
#define LC_FIELDS_GRU(F) \
    F(integer, units, "units", 0) F(text, activation, "activation", "tanh") F(text, recurrent_activation, "recurrent_activation", "sigmoid") \
    LC_FIELDS_RECURRENT(F) F(no, no_reset_after, "reset_after", 0) F(whole, seed, "seed", LC_NONE) LC_FIELDS_LAYER(F)
#define LC_FIELDS_SIMPLE_RNN(F) \
    F(integer, units, "units", 0) F(text, activation, "activation", "tanh") LC_FIELDS_RECURRENT(F) LC_FIELDS_LAYER(F)
typedef struct lc_lstm_layer { LC_FIRST LC_FIELDS_LSTM(LC_MEMBER) } lc_lstm_layer;
typedef struct lc_gru_layer { LC_FIRST LC_FIELDS_GRU(LC_MEMBER) } lc_gru_layer;
typedef struct lc_simple_rnn_layer { LC_FIRST LC_FIELDS_SIMPLE_RNN(LC_MEMBER) } lc_simple_rnn_layer;
#define LC_LSTM(...) LC_LAYER_OBJECT("LSTM", lc_lstm_layer, __VA_ARGS__)
#define LC_GRU(...) LC_LAYER_OBJECT("GRU", lc_gru_layer, __VA_ARGS__)
#define LC_SIMPLE_RNN(...) LC_LAYER_OBJECT("SimpleRNN", lc_simple_rnn_layer, __VA_ARGS__)

/* backward_layer: none given is the same layer, backwards. */
#define LC_FIELDS_BIDIRECTIONAL(F) \
    F(layer, layer, "layer", None) F(text, merge_mode, "merge_mode", "concat") F(layer, backward_layer, "backward_layer", None) LC_FIELDS_LAYER(F)
#define LC_FIELDS_TIME_DISTRIBUTED(F) F(layer, layer, "layer", None) LC_FIELDS_LAYER(F)
typedef struct lc_bidirectional_layer { LC_FIRST LC_FIELDS_BIDIRECTIONAL(LC_MEMBER) } lc_bidirectional_layer;
typedef struct lc_time_distributed_layer { LC_FIRST LC_FIELDS_TIME_DISTRIBUTED(LC_MEMBER) } lc_time_distributed_layer;
#define LC_BIDIRECTIONAL(...) LC_LAYER_OBJECT("Bidirectional", lc_bidirectional_layer, __VA_ARGS__)
#define LC_TIME_DISTRIBUTED(...) LC_LAYER_OBJECT("TimeDistributed", lc_time_distributed_layer, __VA_ARGS__)

/* ---- regularisation ----------------------------------------------------------------------------------------------------- */

#define LC_FIELDS_DROPOUT(F) \
    F(number, rate, "rate", 0) F(whole, seed, "seed", LC_NONE) F(shape, noise_shape, "noise_shape", LC_NONE) LC_FIELDS_LAYER(F)
#define LC_FIELDS_SPATIAL_DROPOUT1D(F) \
    F(number, rate, "rate", 0) F(whole, seed, "seed", LC_NONE) F(text, name, "name", NULL) F(text, dtype, "dtype", "float32")
#define LC_FIELDS_SPATIAL_DROPOUT2D(F) LC_FIELDS_SPATIAL_DROPOUT1D(F) LC_FIELDS_FORMAT(F)
#define LC_FIELDS_GAUSSIAN_DROPOUT(F) F(number, rate, "rate", 0) F(whole, seed, "seed", LC_NONE) LC_FIELDS_LAYER(F)
#define LC_FIELDS_GAUSSIAN_NOISE(F) F(number, stddev, "stddev", 0) F(whole, seed, "seed", LC_NONE) LC_FIELDS_LAYER(F)
#define LC_FIELDS_ACTIVITY_REGULARIZATION(F) F(number, l1, "l1", 0) F(number, l2, "l2", 0) LC_FIELDS_LAYER(F)
typedef struct lc_dropout_layer { LC_FIRST LC_FIELDS_DROPOUT(LC_MEMBER) } lc_dropout_layer;
typedef struct lc_spatial_dropout1d_layer { LC_FIRST LC_FIELDS_SPATIAL_DROPOUT1D(LC_MEMBER) } lc_spatial_dropout1d_layer;
typedef struct lc_spatial_dropout2d_layer { LC_FIRST LC_FIELDS_SPATIAL_DROPOUT2D(LC_MEMBER) } lc_spatial_dropout2d_layer;
typedef struct lc_gaussian_dropout_layer { LC_FIRST LC_FIELDS_GAUSSIAN_DROPOUT(LC_MEMBER) } lc_gaussian_dropout_layer;
typedef struct lc_gaussian_noise_layer { LC_FIRST LC_FIELDS_GAUSSIAN_NOISE(LC_MEMBER) } lc_gaussian_noise_layer;
typedef struct lc_activity_regularization_layer { LC_FIRST LC_FIELDS_ACTIVITY_REGULARIZATION(LC_MEMBER) } lc_activity_regularization_layer;
#define LC_DROPOUT(...) LC_LAYER_OBJECT("Dropout", lc_dropout_layer, __VA_ARGS__)
#define LC_ALPHA_DROPOUT(...) LC_LAYER_OBJECT("AlphaDropout", lc_dropout_layer, __VA_ARGS__)
#define LC_SPATIAL_DROPOUT1D(...) LC_LAYER_OBJECT("SpatialDropout1D", lc_spatial_dropout1d_layer, __VA_ARGS__)
#define LC_SPATIAL_DROPOUT2D(...) LC_LAYER_OBJECT("SpatialDropout2D", lc_spatial_dropout2d_layer, __VA_ARGS__)
#define LC_SPATIAL_DROPOUT3D(...) LC_LAYER_OBJECT("SpatialDropout3D", lc_spatial_dropout2d_layer, __VA_ARGS__)
#define LC_GAUSSIAN_DROPOUT(...) LC_LAYER_OBJECT("GaussianDropout", lc_gaussian_dropout_layer, __VA_ARGS__)
#define LC_GAUSSIAN_NOISE(...) LC_LAYER_OBJECT("GaussianNoise", lc_gaussian_noise_layer, __VA_ARGS__)
#define LC_ACTIVITY_REGULARIZATION(...) LC_LAYER_OBJECT("ActivityRegularization", lc_activity_regularization_layer, __VA_ARGS__)

/* ---- pooling ------------------------------------------------------------------------------------------------------------ */

/* strides: those of the pool unless given. */
#define LC_FIELDS_POOLING(F, kind) \
    F(kind, pool_size, "pool_size", 2) F(kind, strides, "strides", LC_BEFORE) F(text, padding, "padding", "valid") LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F)
#define LC_FIELDS_POOLING1D(F) LC_FIELDS_POOLING(F, single)
#define LC_FIELDS_POOLING2D(F) LC_FIELDS_POOLING(F, pair)
#define LC_FIELDS_POOLING3D(F) LC_FIELDS_POOLING(F, triple)
#define LC_FIELDS_GLOBAL_POOLING(F) F(yes, keepdims, "keepdims", 0) LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F)
typedef struct lc_pooling1d_layer { LC_FIRST LC_FIELDS_POOLING1D(LC_MEMBER) } lc_pooling1d_layer;
typedef struct lc_pooling2d_layer { LC_FIRST LC_FIELDS_POOLING2D(LC_MEMBER) } lc_pooling2d_layer;
typedef struct lc_pooling3d_layer { LC_FIRST LC_FIELDS_POOLING3D(LC_MEMBER) } lc_pooling3d_layer;
typedef struct lc_global_pooling_layer { LC_FIRST LC_FIELDS_GLOBAL_POOLING(LC_MEMBER) } lc_global_pooling_layer;
#define LC_MAX_POOLING1D(...) LC_LAYER_OBJECT("MaxPooling1D", lc_pooling1d_layer, __VA_ARGS__)
#define LC_MAX_POOLING2D(...) LC_LAYER_OBJECT("MaxPooling2D", lc_pooling2d_layer, __VA_ARGS__)
#define LC_MAX_POOLING3D(...) LC_LAYER_OBJECT("MaxPooling3D", lc_pooling3d_layer, __VA_ARGS__)
#define LC_AVERAGE_POOLING1D(...) LC_LAYER_OBJECT("AveragePooling1D", lc_pooling1d_layer, __VA_ARGS__)
#define LC_AVERAGE_POOLING2D(...) LC_LAYER_OBJECT("AveragePooling2D", lc_pooling2d_layer, __VA_ARGS__)
#define LC_AVERAGE_POOLING3D(...) LC_LAYER_OBJECT("AveragePooling3D", lc_pooling3d_layer, __VA_ARGS__)
#define LC_GLOBAL_MAX_POOLING1D(...) LC_LAYER_OBJECT("GlobalMaxPooling1D", lc_global_pooling_layer, __VA_ARGS__)
#define LC_GLOBAL_MAX_POOLING2D(...) LC_LAYER_OBJECT("GlobalMaxPooling2D", lc_global_pooling_layer, __VA_ARGS__)
#define LC_GLOBAL_MAX_POOLING3D(...) LC_LAYER_OBJECT("GlobalMaxPooling3D", lc_global_pooling_layer, __VA_ARGS__)
#define LC_GLOBAL_AVERAGE_POOLING1D(...) LC_LAYER_OBJECT("GlobalAveragePooling1D", lc_global_pooling_layer, __VA_ARGS__)
#define LC_GLOBAL_AVERAGE_POOLING2D(...) LC_LAYER_OBJECT("GlobalAveragePooling2D", lc_global_pooling_layer, __VA_ARGS__)
#define LC_GLOBAL_AVERAGE_POOLING3D(...) LC_LAYER_OBJECT("GlobalAveragePooling3D", lc_global_pooling_layer, __VA_ARGS__)

/* ---- shape -------------------------------------------------------------------------------------------------------------- */

#define LC_FIELDS_FLATTEN(F) LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F)
#define LC_FIELDS_RESHAPE(F) F(dims, target_shape, "target_shape", 0) LC_FIELDS_LAYER(F)
#define LC_FIELDS_PERMUTE(F) F(dims, dims, "dims", 0) LC_FIELDS_LAYER(F)
#define LC_FIELDS_REPEAT_VECTOR(F) F(integer, n, "n", 0) LC_FIELDS_LAYER(F)
#define LC_FIELDS_MASKING(F) F(number, mask_value, "mask_value", 0) LC_FIELDS_LAYER(F)
typedef struct lc_flatten_layer { LC_FIRST LC_FIELDS_FLATTEN(LC_MEMBER) } lc_flatten_layer;
typedef struct lc_reshape_layer { LC_FIRST LC_FIELDS_RESHAPE(LC_MEMBER) } lc_reshape_layer;
typedef struct lc_permute_layer { LC_FIRST LC_FIELDS_PERMUTE(LC_MEMBER) } lc_permute_layer;
typedef struct lc_repeat_vector_layer { LC_FIRST LC_FIELDS_REPEAT_VECTOR(LC_MEMBER) } lc_repeat_vector_layer;
typedef struct lc_masking_layer { LC_FIRST LC_FIELDS_MASKING(LC_MEMBER) } lc_masking_layer;
#define LC_FLATTEN(...) LC_LAYER_OBJECT("Flatten", lc_flatten_layer, __VA_ARGS__)
#define LC_RESHAPE(...) LC_LAYER_OBJECT("Reshape", lc_reshape_layer, __VA_ARGS__)
#define LC_PERMUTE(...) LC_LAYER_OBJECT("Permute", lc_permute_layer, __VA_ARGS__)
#define LC_REPEAT_VECTOR(...) LC_LAYER_OBJECT("RepeatVector", lc_repeat_vector_layer, __VA_ARGS__)
#define LC_MASKING(...) LC_LAYER_OBJECT("Masking", lc_masking_layer, __VA_ARGS__)

/* Margins are as written, {before, after} or {{top, bottom}, {left, right}}; all zeros are the default. */
#define LC_FIELDS_ZERO_PADDING1D(F) F(margin1, padding, "padding", 1) LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F)
#define LC_FIELDS_ZERO_PADDING2D(F) F(margin2, padding, "padding", 1) LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F)
#define LC_FIELDS_ZERO_PADDING3D(F) F(margin3, padding, "padding", 1) LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F)
#define LC_FIELDS_CROPPING1D(F) F(margin1, cropping, "cropping", 1) LC_FIELDS_LAYER(F)
#define LC_FIELDS_CROPPING2D(F) F(margin2, cropping, "cropping", 0) LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F)
#define LC_FIELDS_CROPPING3D(F) F(margin3, cropping, "cropping", 1) LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F)
#define LC_FIELDS_UP_SAMPLING1D(F) F(integer, size, "size", 2) LC_FIELDS_LAYER(F)
#define LC_FIELDS_UP_SAMPLING2D(F) F(pair, size, "size", 2) F(text, interpolation, "interpolation", "nearest") LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F)
#define LC_FIELDS_UP_SAMPLING3D(F) F(triple, size, "size", 2) LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F)
typedef struct lc_zero_padding1d_layer { LC_FIRST LC_FIELDS_ZERO_PADDING1D(LC_MEMBER) } lc_zero_padding1d_layer;
typedef struct lc_zero_padding2d_layer { LC_FIRST LC_FIELDS_ZERO_PADDING2D(LC_MEMBER) } lc_zero_padding2d_layer;
typedef struct lc_zero_padding3d_layer { LC_FIRST LC_FIELDS_ZERO_PADDING3D(LC_MEMBER) } lc_zero_padding3d_layer;
typedef struct lc_cropping1d_layer { LC_FIRST LC_FIELDS_CROPPING1D(LC_MEMBER) } lc_cropping1d_layer;
typedef struct lc_cropping2d_layer { LC_FIRST LC_FIELDS_CROPPING2D(LC_MEMBER) } lc_cropping2d_layer;
typedef struct lc_cropping3d_layer { LC_FIRST LC_FIELDS_CROPPING3D(LC_MEMBER) } lc_cropping3d_layer;
typedef struct lc_up_sampling1d_layer { LC_FIRST LC_FIELDS_UP_SAMPLING1D(LC_MEMBER) } lc_up_sampling1d_layer;
typedef struct lc_up_sampling2d_layer { LC_FIRST LC_FIELDS_UP_SAMPLING2D(LC_MEMBER) } lc_up_sampling2d_layer;
typedef struct lc_up_sampling3d_layer { LC_FIRST LC_FIELDS_UP_SAMPLING3D(LC_MEMBER) } lc_up_sampling3d_layer;
#define LC_ZERO_PADDING1D(...) LC_LAYER_OBJECT("ZeroPadding1D", lc_zero_padding1d_layer, __VA_ARGS__)
#define LC_ZERO_PADDING2D(...) LC_LAYER_OBJECT("ZeroPadding2D", lc_zero_padding2d_layer, __VA_ARGS__)
#define LC_ZERO_PADDING3D(...) LC_LAYER_OBJECT("ZeroPadding3D", lc_zero_padding3d_layer, __VA_ARGS__)
#define LC_CROPPING1D(...) LC_LAYER_OBJECT("Cropping1D", lc_cropping1d_layer, __VA_ARGS__)
#define LC_CROPPING2D(...) LC_LAYER_OBJECT("Cropping2D", lc_cropping2d_layer, __VA_ARGS__)
#define LC_CROPPING3D(...) LC_LAYER_OBJECT("Cropping3D", lc_cropping3d_layer, __VA_ARGS__)
#define LC_UP_SAMPLING1D(...) LC_LAYER_OBJECT("UpSampling1D", lc_up_sampling1d_layer, __VA_ARGS__)
#define LC_UP_SAMPLING2D(...) LC_LAYER_OBJECT("UpSampling2D", lc_up_sampling2d_layer, __VA_ARGS__)
#define LC_UP_SAMPLING3D(...) LC_LAYER_OBJECT("UpSampling3D", lc_up_sampling3d_layer, __VA_ARGS__)

/* ---- pictures ----------------------------------------------------------------------------------------------------------- */

#define LC_FIELDS_SIZE(F) F(integer, height, "height", 0) F(integer, width, "width", 0)
#define LC_FIELDS_FILL(F, mode) F(text, fill_mode, "fill_mode", mode) F(number, fill_value, "fill_value", 0)
#define LC_FIELDS_RANDOM(F) F(whole, seed, "seed", LC_NONE) LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F)
#define LC_FIELDS_RESIZING(F) \
    LC_FIELDS_SIZE(F) F(text, interpolation, "interpolation", "bilinear") F(yes, crop_to_aspect_ratio, "crop_to_aspect_ratio", 0) \
    F(yes, pad_to_aspect_ratio, "pad_to_aspect_ratio", 0) LC_FIELDS_FILL(F, "constant") F(yes, antialias, "antialias", 0) LC_FIELDS_FORMAT(F) \
    LC_FIELDS_LAYER(F)
#define LC_FIELDS_RESCALING(F) F(number, scale, "scale", 0) F(number, offset, "offset", 0) LC_FIELDS_LAYER(F)
#define LC_FIELDS_CENTER_CROP(F) LC_FIELDS_SIZE(F) LC_FIELDS_FORMAT(F) LC_FIELDS_LAYER(F)
#define LC_FIELDS_RANDOM_CROP(F) LC_FIELDS_SIZE(F) LC_FIELDS_RANDOM(F)
#define LC_FIELDS_RANDOM_FLIP(F) F(text, mode, "mode", "horizontal_and_vertical") LC_FIELDS_RANDOM(F)
/* factor: {from, to}, or {0.2} for -0.2 to 0.2; of contrast 0 to 0.2. */
#define LC_FIELDS_RANDOM_ROTATION(F) \
    F(around, factor, "factor", 0) LC_FIELDS_FILL(F, "reflect") F(text, interpolation, "interpolation", "bilinear") LC_FIELDS_RANDOM(F)
#define LC_FIELDS_RANDOM_ZOOM(F) \
    F(number, height_factor, "height_factor", 0) F(number, width_factor, "width_factor", LC_NONE) LC_FIELDS_FILL(F, "reflect") \
    F(text, interpolation, "interpolation", "bilinear") LC_FIELDS_RANDOM(F)
#define LC_FIELDS_RANDOM_TRANSLATION(F) \
    F(number, height_factor, "height_factor", 0) F(number, width_factor, "width_factor", 0) LC_FIELDS_FILL(F, "reflect") \
    F(text, interpolation, "interpolation", "bilinear") LC_FIELDS_RANDOM(F)
#define LC_FIELDS_RANDOM_CONTRAST(F) F(upto, factor, "factor", 0) F(upto, value_range, "value_range", 255) LC_FIELDS_RANDOM(F)
#define LC_FIELDS_RANDOM_BRIGHTNESS(F) F(around, factor, "factor", 0) F(upto, value_range, "value_range", 255) LC_FIELDS_RANDOM(F)
typedef struct lc_resizing_layer { LC_FIRST LC_FIELDS_RESIZING(LC_MEMBER) } lc_resizing_layer;
typedef struct lc_rescaling_layer { LC_FIRST LC_FIELDS_RESCALING(LC_MEMBER) } lc_rescaling_layer;
typedef struct lc_center_crop_layer { LC_FIRST LC_FIELDS_CENTER_CROP(LC_MEMBER) } lc_center_crop_layer;
typedef struct lc_random_crop_layer { LC_FIRST LC_FIELDS_RANDOM_CROP(LC_MEMBER) } lc_random_crop_layer;
typedef struct lc_random_flip_layer { LC_FIRST LC_FIELDS_RANDOM_FLIP(LC_MEMBER) } lc_random_flip_layer;
typedef struct lc_random_rotation_layer { LC_FIRST LC_FIELDS_RANDOM_ROTATION(LC_MEMBER) } lc_random_rotation_layer;
typedef struct lc_random_zoom_layer { LC_FIRST LC_FIELDS_RANDOM_ZOOM(LC_MEMBER) } lc_random_zoom_layer;
typedef struct lc_random_translation_layer { LC_FIRST LC_FIELDS_RANDOM_TRANSLATION(LC_MEMBER) } lc_random_translation_layer;
typedef struct lc_random_contrast_layer { LC_FIRST LC_FIELDS_RANDOM_CONTRAST(LC_MEMBER) } lc_random_contrast_layer;
typedef struct lc_random_brightness_layer { LC_FIRST LC_FIELDS_RANDOM_BRIGHTNESS(LC_MEMBER) } lc_random_brightness_layer;
#define LC_RESIZING(...) LC_LAYER_OBJECT("Resizing", lc_resizing_layer, __VA_ARGS__)
#define LC_RESCALING(...) LC_LAYER_OBJECT("Rescaling", lc_rescaling_layer, __VA_ARGS__)
#define LC_CENTER_CROP(...) LC_LAYER_OBJECT("CenterCrop", lc_center_crop_layer, __VA_ARGS__)
#define LC_RANDOM_CROP(...) LC_LAYER_OBJECT("RandomCrop", lc_random_crop_layer, __VA_ARGS__)
#define LC_RANDOM_FLIP(...) LC_LAYER_OBJECT("RandomFlip", lc_random_flip_layer, __VA_ARGS__)
#define LC_RANDOM_ROTATION(...) LC_LAYER_OBJECT("RandomRotation", lc_random_rotation_layer, __VA_ARGS__)
#define LC_RANDOM_ZOOM(...) LC_LAYER_OBJECT("RandomZoom", lc_random_zoom_layer, __VA_ARGS__)
#define LC_RANDOM_TRANSLATION(...) LC_LAYER_OBJECT("RandomTranslation", lc_random_translation_layer, __VA_ARGS__)
#define LC_RANDOM_CONTRAST(...) LC_LAYER_OBJECT("RandomContrast", lc_random_contrast_layer, __VA_ARGS__)
#define LC_RANDOM_BRIGHTNESS(...) LC_LAYER_OBJECT("RandomBrightness", lc_random_brightness_layer, __VA_ARGS__)

/* ---- merging ------------------------------------------------------------------------------------------------------------ */

typedef struct lc_plain_layer { LC_FIRST LC_FIELDS_LAYER(LC_MEMBER) } lc_plain_layer;
#define LC_ADD(...) LC_LAYER_OBJECT("Add", lc_plain_layer, __VA_ARGS__)
#define LC_SUBTRACT(...) LC_LAYER_OBJECT("Subtract", lc_plain_layer, __VA_ARGS__)
#define LC_MULTIPLY(...) LC_LAYER_OBJECT("Multiply", lc_plain_layer, __VA_ARGS__)
#define LC_AVERAGE(...) LC_LAYER_OBJECT("Average", lc_plain_layer, __VA_ARGS__)
#define LC_MAXIMUM(...) LC_LAYER_OBJECT("Maximum", lc_plain_layer, __VA_ARGS__)
#define LC_MINIMUM(...) LC_LAYER_OBJECT("Minimum", lc_plain_layer, __VA_ARGS__)
#define LC_IDENTITY(...) LC_LAYER_OBJECT("Identity", lc_plain_layer, __VA_ARGS__)
#define LC_CONCATENATE(...) LC_LAYER_OBJECT("Concatenate", lc_axis_layer, __VA_ARGS__)
/* two_axes: one of each tensor, {2, 1}, instead of axes */
#define LC_FIELDS_DOT(F) \
    F(integer, axes, "axes", 0) F(yes, normalize, "normalize", 0) LC_FIELDS_LAYER(F) F(dims, two_axes, "axes", LC_NONE)
typedef struct lc_dot_layer { LC_FIRST LC_FIELDS_DOT(LC_MEMBER) } lc_dot_layer;
#define LC_DOT(...) LC_LAYER_OBJECT("Dot", lc_dot_layer, __VA_ARGS__)

/* ---- activations -------------------------------------------------------------------------------------------------------- */

#define LC_FIELDS_ACTIVATION(F) F(text, activation, "activation", "linear") LC_FIELDS_LAYER(F) LC_FIELDS_ACTIVATION_OBJECT(F)
#define LC_FIELDS_SOFTMAX(F) F(integer, axis, "axis", -1) LC_FIELDS_LAYER(F) LC_FIELDS_AXES(F)
#define LC_FIELDS_RELU(F) \
    F(number, max_value, "max_value", LC_NONE) F(number, negative_slope, "negative_slope", 0) F(number, threshold, "threshold", 0) LC_FIELDS_LAYER(F)
#define LC_FIELDS_LEAKY_RELU(F) F(number, negative_slope, "negative_slope", 0.3) LC_FIELDS_LAYER(F)
#define LC_FIELDS_PRELU(F) LC_FIELDS_WEIGHT(F, alpha, Zeros) F(dims, shared_axes, "shared_axes", LC_NONE) LC_FIELDS_LAYER(F)
#define LC_FIELDS_ELU(F) F(number, alpha, "alpha", 1) LC_FIELDS_LAYER(F)
typedef struct lc_activation_layer { LC_FIRST LC_FIELDS_ACTIVATION(LC_MEMBER) } lc_activation_layer;
typedef struct lc_softmax_layer { LC_FIRST LC_FIELDS_SOFTMAX(LC_MEMBER) } lc_softmax_layer;
typedef struct lc_relu_layer { LC_FIRST LC_FIELDS_RELU(LC_MEMBER) } lc_relu_layer;
typedef struct lc_leaky_relu_layer { LC_FIRST LC_FIELDS_LEAKY_RELU(LC_MEMBER) } lc_leaky_relu_layer;
typedef struct lc_prelu_layer { LC_FIRST LC_FIELDS_PRELU(LC_MEMBER) } lc_prelu_layer;
typedef struct lc_elu_layer { LC_FIRST LC_FIELDS_ELU(LC_MEMBER) } lc_elu_layer;
#define LC_ACTIVATION(...) LC_LAYER_OBJECT("Activation", lc_activation_layer, __VA_ARGS__)
#define LC_RELU(...) LC_LAYER_OBJECT("ReLU", lc_relu_layer, __VA_ARGS__)
#define LC_LEAKY_RELU(...) LC_LAYER_OBJECT("LeakyReLU", lc_leaky_relu_layer, __VA_ARGS__)
#define LC_PRELU(...) LC_LAYER_OBJECT("PReLU", lc_prelu_layer, __VA_ARGS__)
#define LC_ELU(...) LC_LAYER_OBJECT("ELU", lc_elu_layer, __VA_ARGS__)
#define LC_SOFTMAX(...) LC_LAYER_OBJECT("Softmax", lc_softmax_layer, __VA_ARGS__)

/* ---- attention ---------------------------------------------------------------------------------------------------------- */

/* Called with query, value and, where it is not the value, key. use_causal_mask: each call looks back only; attention_mask: each call is given one
 * tensor more, [batch, queries, keys], zero where not to look. */
#define LC_FIELDS_MULTI_HEAD_ATTENTION(F) \
    F(integer, num_heads, "num_heads", 0) F(integer, key_dim, "key_dim", 0) F(integer, value_dim, "value_dim", LC_BEFORE) \
    F(number, dropout, "dropout", 0) F(fixed, first, "use_gate", "false") F(dims, output_shape, "output_shape", LC_NONE) \
    F(dims, attention_axes, "attention_axes", LC_NONE) F(fixed, first, "sliding_window", "null") LC_FIELDS_WEIGHT(F, kernel, GlorotUniform) \
    LC_FIELDS_BIAS(F) LC_FIELDS_ACTIVITY(F) F(whole, seed, "seed", LC_NONE) LC_FIELDS_LAYER(F) \
    F(call, use_causal_mask, "use_causal_mask", 0) F(call, attention_mask, "attention_mask", 0)
#define LC_FIELDS_ATTENTION(F) \
    F(yes, use_scale, "use_scale", 0) F(text, score_mode, "score_mode", "dot") F(number, dropout, "dropout", 0) F(whole, seed, "seed", LC_NONE) \
    LC_FIELDS_LAYER(F) F(call, use_causal_mask, "use_causal_mask", 0)
#define LC_FIELDS_ADDITIVE_ATTENTION(F) \
    F(no, no_scale, "use_scale", 0) F(number, dropout, "dropout", 0) F(whole, seed, "seed", LC_NONE) LC_FIELDS_LAYER(F) \
    F(call, use_causal_mask, "use_causal_mask", 0)
typedef struct lc_multi_head_attention_layer { LC_FIRST LC_FIELDS_MULTI_HEAD_ATTENTION(LC_MEMBER) } lc_multi_head_attention_layer;
typedef struct lc_attention_layer { LC_FIRST LC_FIELDS_ATTENTION(LC_MEMBER) } lc_attention_layer;
typedef struct lc_additive_attention_layer { LC_FIRST LC_FIELDS_ADDITIVE_ATTENTION(LC_MEMBER) } lc_additive_attention_layer;
#define LC_MULTI_HEAD_ATTENTION(...) LC_LAYER_OBJECT("MultiHeadAttention", lc_multi_head_attention_layer, __VA_ARGS__)
#define LC_ATTENTION(...) LC_LAYER_OBJECT("Attention", lc_attention_layer, __VA_ARGS__)
#define LC_ADDITIVE_ATTENTION(...) LC_LAYER_OBJECT("AdditiveAttention", lc_additive_attention_layer, __VA_ARGS__)

/* clang-format on */
#endif
