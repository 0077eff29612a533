//! kernelscope: convolutional networks for electron microscopy, computed where the reader can see every product.
