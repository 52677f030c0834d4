; A COM program that prints its arguments, and ends with their number of characters. A debugger should see it begin at
; 1000:0100, and $dx point to the text at the INT 21h.
	bits 16
	org 0x100

	mov dx, text
	mov ah, 9
	int 0x21
	mov cl, [0x80]
	mov ch, 0
	mov si, 0x81
	jcxz end
next:	lodsb
	mov dl, al
	mov ah, 2
	int 0x21
	loop next
end:	mov dl, 10
	mov ah, 2
	int 0x21
	mov al, [0x80]
	test al, al
	jz return
	mov ah, 0x4c
	int 0x21
return:	ret

text:	db "arguments:$"
