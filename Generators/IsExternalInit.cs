namespace System.Runtime.CompilerServices;

/// <summary>What the compiler asks for where properties are set once; .NET Standard does not have it.</summary>
internal static class IsExternalInit;
