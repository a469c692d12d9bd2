/*
 * tflite_model.h: a small .tflite model as schema structs that has one of everything the format knows, for tests that change
 * one thing and see what the reader says, and for bytes of written files that are changed afterwards.
 */
#ifndef TESTS_SUPPORT_TFLITE_MODEL_H
#define TESTS_SUPPORT_TFLITE_MODEL_H

#include "ops/op.h"
#include "schema/schema.h"

enum { TM_TENSORS = 17, TM_OPS = 4, TM_CODES = 6, TM_BUFFERS = 12 };

/* Tensors of graph 0. */
enum {
    TM_X,
    TM_W,
    TM_B,
    TM_Y,
    TM_STRINGS,
    TM_COND,
    TM_Z,
    TM_VAR,
    TM_SPARSE,
    TM_BLOCKWISE,
    TM_SCALES,
    TM_EXTERNAL,
    TM_HANDLE,
    TM_VARIANT,
    TM_CUSTOM_OUT,
    TM_BETWEEN,
    TM_MULTI
};
/* Operators of graph 0. */
enum { TM_FC, TM_IF, TM_VAR_HANDLE, TM_CUSTOM };

/* Everything the model points to; fields may be changed before it is written. */
typedef struct tflite_model {
    lc_Model m;
    lc_SubGraph graphs[3];
    lc_Tensor t[TM_TENSORS], t1[2], t2[1];
    lc_Operator op[TM_OPS], op1[1];
    lc_OperatorCode code[TM_CODES];
    lc_Buffer buffer[TM_BUFFERS];
    int32_t in[2], out[2], in1[1], out1[1], in2[1];
    int32_t fc_in[3], fc_out[1], if_in[2], if_out[1], handle_out[1], custom_in[8], custom_out[1], between[1], relu_in[1], relu_out[1];
    uint8_t mutating[8];
    int32_t shape[TM_TENSORS][3], signature[TM_TENSORS][3];
    uint8_t bytes[TM_BUFFERS][128];
    float scale[8];
    int64_t zero[8];
    lc_QuantizationParameters q[5];
    lc_BlockwiseQuantization blockwise;
    lc_MultiAxisQuantization multi;
    int32_t multi_dims[2];
    lc_SparsityParameters sparsity;
    int32_t order[4], block_map[2], block_shape[2];
    lc_DimensionMetadata level[4];
    lc_Int32Vector segments;
    lc_Uint8Vector indices;
    int32_t segment[8];
    uint8_t index[8];
    lc_VariantSubType variant[1];
    int32_t variant_shape[2];
    lc_FullyConnectedOptions fc;
    lc_IfOptions branch;
    lc_VarHandleOptions handle;
    lc_Metadata metadata[2];
    int32_t metadata_buffer[2];
    lc_SignatureDef signature_def[2];
    lc_TensorMap sig_in[2], sig_out[2], sig1_in[1], sig1_out[1];
    lc_ExternalBufferGroup group[1];
    lc_ExternalBuffer external[2];
} tflite_model;

/* Fills *f with the good model. */
void tflite_model_make(tflite_model *f);

typedef struct tflite_bytes {
    uint8_t *data;
    size_t size, capacity;
} tflite_bytes;

/* Sink of lc_fb_write and lc_emit_tflite that appends to a tflite_bytes; lc_free(data) at the end. */
lc_status tflite_bytes_write(void *user, const void *data, size_t size, lc_error *err);
/* Position of a field of the table at byte offset `at` in a written file; 0 when the table does not have it. */
uint64_t tflite_bytes_field(const tflite_bytes *b, uint64_t at, uint16_t field);
/* Overwrites a scalar field (1, 2, 4 or 8 bytes) of the table at byte offset `at` in a written file. false when the table does not have
 * the field. */
bool tflite_bytes_patch(tflite_bytes *b, uint64_t at, uint16_t field, const void *value, size_t size);

#endif
