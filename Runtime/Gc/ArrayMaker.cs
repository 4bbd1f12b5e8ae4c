namespace WasmJit.Runtime;

/// <summary>Makes arrays of an element type that is known only at run time.</summary>
internal abstract class ArrayMaker
{
    internal abstract Array Make(int length);

    /// <summary>As generated code calls it: the length below.</summary>
    internal static object Make(int length, ArrayMaker maker) => maker.Make(length);

    internal static ArrayMaker Of(Type element) =>
        (ArrayMaker)Activator.CreateInstance(typeof(ArrayMaker<>).MakeGenericType(element))!;
}

internal sealed class ArrayMaker<T> : ArrayMaker
    where T : struct
{
    internal override Array Make(int length) => new T[length];
}
