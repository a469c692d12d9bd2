/* Operators for a build of litec's device runtime, made by `litec ops`: docs/embedding.md. */
#define LC_WITH_CONV_2D 1
#define LC_WITH_DEPTHWISE_CONV_2D 1
#define LC_WITH_FULLY_CONNECTED 1
#define LC_WITH_MAX_POOL_2D 1
#define LC_WITH_RESHAPE 1
#define LC_WITH_SOFTMAX 1
